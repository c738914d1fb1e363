//! about: a relocation that only a linker of programs can do is refused
//! kinds: o (a linker refuses it first)
//! shows: R_X86_64_COPY
//! error: UnsupportedRelocation
	.data
	.globl	probe
probe:
	.reloc	., R_X86_64_COPY, host_number
	.quad	0

	.section .note.GNU-stack, "", @progbits
