/* The extension in C that the firmware of every board loads: a call out, the host's data, and each kind of data of its own. */
#include <stdbool.h>
#include <stdint.h>

void led_set(uint8_t led, bool on);
extern uint32_t TICKS;

static const uint8_t order[] = {3, 1, 2, 0};
static uint32_t calls;
static uint32_t step = 10;

/* Switches a led per call, in an order of its own; returns how far all calls came. */
uint32_t blink(uint32_t ticks)
{
	TICKS += ticks;
	led_set(order[calls % sizeof order], true);
	calls++;
	return calls * step;
}
