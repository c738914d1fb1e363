/* An extension with some hundreds of relocations, for whoever measures what a load costs others: a hundred functions, each of which
 * counts, switches a led and calls the next through a table. */
#include <stdbool.h>
#include <stdint.h>

void led_set(uint8_t led, bool on);
extern uint32_t TICKS;

typedef uint32_t link(uint32_t sum);
extern link *const table[];

#define LINK(n)                                                                                                       \
	static uint32_t link_##n(uint32_t sum)                                                                         \
	{                                                                                                              \
		TICKS++;                                                                                               \
		led_set((n) % 8, true);                                                                                \
		return table[(n) + 1](sum + (n));                                                                      \
	}

#define TEN(of, t) of(t##0) of(t##1) of(t##2) of(t##3) of(t##4) of(t##5) of(t##6) of(t##7) of(t##8) of(t##9)
#define HUNDRED(of)                                                                                                   \
	TEN(of, ) TEN(of, 1) TEN(of, 2) TEN(of, 3) TEN(of, 4) TEN(of, 5) TEN(of, 6) TEN(of, 7) TEN(of, 8) TEN(of, 9)

HUNDRED(LINK)

static uint32_t end(uint32_t sum)
{
	return sum;
}

#define NAME(n) link_##n,
link *const table[] = {HUNDRED(NAME) end};

/* The sum of 0 to 99, and what it began with. */
uint32_t chain(uint32_t sum)
{
	return table[0](sum);
}
