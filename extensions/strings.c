//! about: string and constant pools in SHF_MERGE sections, reached by section symbol and addend
//! flags[gcc]: -fmerge-all-constants
//! shows[o]: SHF_MERGE SHF_STRINGS
//! call: nth_letter(0) = 102
//! call: nth_letter(1) = 115
//! call: nth_letter(2) = 0
//! call: rounded(3) = 10
//! output: first second
#include "host.h"

static const char *const words[] = {"first", "second", ""};

int nth_letter(int index)
{
	if (index == 0)
		host_print("first second");
	return words[index][0];
}

int rounded(int value) { return (int)(value * 3.25 + 0.25); }
