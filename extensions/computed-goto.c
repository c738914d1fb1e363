//! about: a table of labels, that is of addresses inside a function, drives a small interpreter
//! shows[o r]: R_X86_64_64
//! call: probe(6) = 720
enum { MULTIPLY, DECREMENT, BRANCH, STOP };

int probe(int value)
{
	static const void *const labels[] = {&&multiply, &&decrement, &&branch, &&stop};
	static const unsigned char program[] = {MULTIPLY, DECREMENT, BRANCH, STOP};
	const unsigned char *at = program;
	int product = 1;

	goto *labels[*at];
multiply:
	product *= value;
	goto *labels[*++at];
decrement:
	value--;
	goto *labels[*++at];
branch:
	if (value > 0)
		at = program;
	else
		at++;
	goto *labels[*at];
stop:
	return product;
}
