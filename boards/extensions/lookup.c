/* Code and constants without relocations stay in flash; code with an address in it is copied. */

const unsigned char squares[16] = { 0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225 };

unsigned square(unsigned n)
{
	return squares[n & 15];
}

__attribute__((noinline, noclone, section(".text.parity"))) unsigned parity(unsigned n)
{
	unsigned odd = 0;
	for (; n != 0; n &= n - 1) {
		odd ^= 1;
	}
	return odd;
}

/* A call from code that is copied to code that is not. */
unsigned odd_bits_of_square(unsigned n)
{
	return parity(square(n));
}
