/* The extension that is linked for a firmware on another computer: a constructor, each kind of data, the host's data and a call. */
#include <stdbool.h>
#include <stdint.h>

void led_set(uint8_t led, bool on);
extern uint32_t TICKS;

static const uint8_t order[] = {3, 1, 2, 0};
static uint32_t calls;
static uint32_t total = 100;

__attribute__((constructor)) static void begin(void)
{
	total += 20;
}

/* 100 from the start, 20 of the constructor, 1 call, 5 ticks: 126. */
int probe(void)
{
	calls++;
	TICKS += 5;
	led_set(order[calls], true);
	return total + calls + TICKS;
}
