//! about: a dense switch becomes a table of offsets or of addresses
//! places: !v6-m !gcc !Os (what looks into the table lies in gcc's own library)
//! call: probe(0) = 3
//! call: probe(3) = 1004
//! call: probe(7) = -70
//! call: probe(9) = 81
//! call: probe(10) = -1
static volatile int seed = 9;

int probe(int which)
{
	int value = seed;
	switch (which) {
	case 0: return value / 3;
	case 1: return value + 101;
	case 2: return value * 17 - 1;
	case 3: return value + 995;
	case 4: return value ^ 0x55;
	case 5: return value << 5;
	case 6: return value % 4;
	case 7: return -7 * (value + 1);
	case 8: return value | 0x100;
	case 9: return value * value;
	default: return -1;
	}
}
