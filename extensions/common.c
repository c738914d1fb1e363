//! about: COMMON symbols get zeroed memory with the alignment they ask for
//! flags: -fcommon
//! shows[o r-ld]: SHN_COMMON
//! call: probe() = 0
//! call: store_and_sum(7) = 21
//! object: tentative = 7
//! aligned: wide 256
int tentative;
int table[100];
char odd[3];
__attribute__((aligned(256))) char wide[512];

int probe(void)
{
	int sum = tentative;
	for (int i = 0; i < 100; i++)
		sum |= table[i];
	return sum | odd[0] | odd[2] | wide[511];
}

int store_and_sum(int value)
{
	tentative = table[99] = value;
	odd[2] = wide[511] = (char)value;
	return table[99] + odd[2] + wide[511];
}
