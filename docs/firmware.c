/* What stands for a firmware in docs/linking-on-the-host.md and the README: it exports a function and a variable, and does nothing. */
#include <llext/extension.h>

uint32_t TICKS;
static uint32_t lights;

void led_set(uint8_t led, _Bool on)
{
	lights = (lights & ~(1u << led)) | (uint32_t)on << led;
}

EXPORT_SYMBOL(TICKS);
EXPORT_SYMBOL(led_set);

void _start(void)
{
}
