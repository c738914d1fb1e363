//! about: strings in SHF_MERGE sections, some of them tails of others, from two files
//! files: second.c
//! kinds: r so (one object holds one file)
//! shows[r]: SHF_MERGE SHF_STRINGS .rodata.str1.1
//! call: probe() = 0
int second(int which);

static const char *volatile long_text = "a tail of this string is a string too";
static const char *volatile tail = "is a string too";

static int equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

int probe(void)
{
	return !equal(long_text + 22, tail) + second(0) + second(1);
}
