/* The extension in C that does what it must not: hardware that protects memory stops each of its attempts. */
#include <stdint.h>

#ifdef __thumb__
#define RETURN 0x47704770 /* bx lr, twice */
#define MODE 1
#else
#define RETURN 0x00008067 /* ret */
#define MODE 0
#endif

uint32_t table[4] = {1, 2, RETURN, 4};
const uint32_t limits[4] = {10, 20, RETURN, 40};

/* Where nothing stops it, each of these returns as if nothing were wrong. */

void write_code(void)
{
	*(volatile uint32_t *)((uintptr_t)write_code & ~(uintptr_t)3) = RETURN;
}

void write_constants(void)
{
	*(volatile uint32_t *)&limits[1] = 0;
}

void run_data(void)
{
	((void (*)(void))((uintptr_t)&table[2] + MODE))();
}

void run_constants(void)
{
	((void (*)(void))((uintptr_t)&limits[2] + MODE))();
}

/* What may be done is done as ever. */
uint32_t count(void)
{
	return ++table[0] + *(const volatile uint32_t *)&limits[1];
}
