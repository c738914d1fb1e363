//! about: 64 MiB of zeroed memory, both ends of it used
//! call: probe() = 3
enum { SIZE = 64 << 20 };
static volatile char large[SIZE];

int probe(void)
{
	large[0] += 1;
	large[SIZE - 1] += 2;
	return large[0] + large[SIZE / 2] + large[SIZE - 1];
}
