//! about: calls, addresses, tables and strings in the relocations that each code model has for them
//! shows[o-default]: R_X86_64_PLT32 R_X86_64_PC32
//! shows[o-nopic]: R_X86_64_32S R_X86_64_PLT32
//! shows[o-large]: R_X86_64_64 !R_X86_64_PLT32
//! shows[o-large-pie+gcc o-large-pic+gcc]: R_X86_64_GOTPC64 R_X86_64_GOTOFF64 R_X86_64_PLTOFF64
//! shows[o-large-pic+clang]: R_X86_64_GOTPC64 R_X86_64_GOTOFF64 R_X86_64_GOT64
//! shows[clang+o]: SHT_X86_64_UNWIND
//! shows[gcc+o]: .eh_frame
//! shows[so]: R_X86_64_JUMP_SLOT R_X86_64_GLOB_DAT
//! shows[so-default]: R_X86_64_RELATIVE
//! call: indexed(2) = 30
//! call: host_call(4) = 9
//! call: own_call(5) = 26
//! call: through_pointer(3) = 10
//! call: letter(1) = 98
//! call: exported_table(1) = 200
#include "host.h"

static int table[] = {10, 20, 30, 40};
int global_table[] = {100, 200, 300};
static const char *volatile text = "abc";
static int (*volatile pointer)(int);

__attribute__((noinline)) int own(int value) { return value * value; }

int indexed(int index) { return table[index]; }
int exported_table(int index) { return global_table[index]; }
int host_call(int value) { return host_add(value, 5); }
int own_call(int value) { return own(value) + 1; }
int letter(int index) { return text[index]; }

int through_pointer(int value)
{
	pointer = own;
	return pointer(value) + 1;
}

/* Changes the tables as far as the compiler can see. */
void change(int index, int value) { table[index] = global_table[index] = value; }
