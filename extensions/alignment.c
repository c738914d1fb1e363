//! about: every kind of data keeps its alignment, to a page, and functions keep theirs
//! call: probe() = 0
//! aligned: page 4096
//! aligned: zeroed_page 4096
//! aligned: constant_page 4096
//! aligned: wide 64
//! aligned: small 8
//! aligned: function 128
__attribute__((aligned(4096))) int page[4] = {1, 2, 3, 4};
__attribute__((aligned(4096))) int zeroed_page[4];
extern const int constant_page[4];
__attribute__((aligned(4096))) const int constant_page[4] = {5, 6, 7, 8};
char odd = 1;
__attribute__((aligned(64))) char wide[65] = {1};
__attribute__((aligned(8))) char small = 2;
__attribute__((aligned(32))) static char hidden[33];

__attribute__((aligned(128))) int function(void) { return page[3] + zeroed_page[3] + constant_page[3]; }

/* The compiler knows what it asked for, so the address passes through it unseen. */
static unsigned long address_of(const void *object)
{
	__asm__ volatile("" : "+r"(object));
	return (unsigned long)object;
}

int probe(void) { return (address_of(page) | address_of(zeroed_page) | address_of(constant_page)) % 4096 + address_of(hidden) % 32; }
