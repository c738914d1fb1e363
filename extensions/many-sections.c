//! about: 2,000 functions, each in its section, with 2,000 NOBITS sections between them
//! kinds: o-sections r so-default+O2 (the other kinds would differ in nothing that counts here)
//! flags: -ffunction-sections -fdata-sections
//! shows[o]: sections>=4000 SHT_NOBITS>=2000
//! shows[r]: sections>=4000 SHT_NOBITS>=2000
//! call: probe() = 3999000
//! call: probe() = 4001000
//! call: f2999(1) = 3002

/* To optimise so many functions takes seconds, and changes nothing that counts here. */
#pragma GCC optimize("O0")
#pragma clang optimize off

#define FUNCTION(n)                                                                                             \
	static int calls##n;                                                                                        \
	int f##n(int value) { return value + n + calls##n++; }
#define NAME(n) f##n,

#define TEN(m, n) m(n##0) m(n##1) m(n##2) m(n##3) m(n##4) m(n##5) m(n##6) m(n##7) m(n##8) m(n##9)
#define HUNDRED(m, n)                                                                                           \
	TEN(m, n##0) TEN(m, n##1) TEN(m, n##2) TEN(m, n##3) TEN(m, n##4)                                            \
	TEN(m, n##5) TEN(m, n##6) TEN(m, n##7) TEN(m, n##8) TEN(m, n##9)
#define THOUSAND(m, n)                                                                                          \
	HUNDRED(m, n##0) HUNDRED(m, n##1) HUNDRED(m, n##2) HUNDRED(m, n##3) HUNDRED(m, n##4)                        \
	HUNDRED(m, n##5) HUNDRED(m, n##6) HUNDRED(m, n##7) HUNDRED(m, n##8) HUNDRED(m, n##9)

THOUSAND(FUNCTION, 1)
THOUSAND(FUNCTION, 2)

static int (*const functions[])(int) = {THOUSAND(NAME, 1) THOUSAND(NAME, 2)};

int probe(void)
{
	int sum = 0;
	for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++)
		sum += functions[i](0);
	return sum;
}
