//! about: __start_X and __stop_X bracket every piece of a section X, without a word from anybody
//! places: !arm !gcc !r-lld (gcc for newlib ignores `retain`, so that LLD drops sections which nothing names)
//! shows[o r]: __start_numbers __stop_numbers
//! call: probe() = 6
//! call: absent() = 0
#define ENTRY(name, value) __attribute__((section("numbers"), used, retain)) static int name = value
ENTRY(one, 1);
ENTRY(two, 2);
ENTRY(three, 3);

extern int __start_numbers[], __stop_numbers[];
extern int __start_no_such_section[] __attribute__((weak)), __stop_no_such_section[] __attribute__((weak));

int probe(void)
{
	int sum = 0;
	for (int *number = __start_numbers; number < __stop_numbers; number++)
		sum += *number;
	return sum;
}

int absent(void) { return (int)(__stop_no_such_section - __start_no_such_section); }
