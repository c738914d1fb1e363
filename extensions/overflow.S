//! about: a value that does not fit its 32-bit field is refused
//! kinds: o r-ld (a linker finds it first)
//! shows: R_X86_64_32
//! error: RelocationOverflow
	.globl	too_large
	.set	too_large, 0x100000000

	.data
	.globl	probe
probe:
	.reloc	., R_X86_64_32, too_large
	.long	0

	.section .note.GNU-stack, "", @progbits
