//! about: many addresses of its own, which a linker may pack as DT_RELR
//! shows[so-relr]: DT_RELR
//! call: probe() = 6
//! call: odd_places() = 2
static int values[] = {0, 1, 2, 3};

#define FOUR &values[0], &values[1], &values[2], &values[3]
#define SIXTEEN FOUR, FOUR, FOUR, FOUR
static int *pointers[] = {SIXTEEN, SIXTEEN, SIXTEEN, SIXTEEN, SIXTEEN, FOUR};

/* With gaps between them, so that bitmaps have holes and more than one base. */
static struct {
	int *pointer;
	long filler[7];
} sparse[] = {{&values[1], {0}}, {&values[1], {0}}};

int probe(void)
{
	int sum = 0;
	for (int i = 80; i < 84; i++)
		sum += *pointers[i];
	return sum;
}

int odd_places(void) { return *sparse[0].pointer + *sparse[1].pointer; }
