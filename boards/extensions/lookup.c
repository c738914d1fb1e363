/* Code and constants without relocations stay in flash; code with an address in it is copied. */

const unsigned char squares[16] = { 0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225 };

unsigned square(unsigned n)
{
	return squares[n & 15];
}

__attribute__((noinline, noclone, section(".text.parity"))) unsigned parity(unsigned n)
{
	/* No branch: on RISC-V each has a relocation. */
	n ^= n >> 16;
	n ^= n >> 8;
	n ^= n >> 4;
	n ^= n >> 2;
	return (n ^ n >> 1) & 1;
}

/* A call from code that is copied to code that is not. */
unsigned odd_bits_of_square(unsigned n)
{
	return parity(square(n));
}
