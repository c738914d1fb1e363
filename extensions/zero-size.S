//! about: sections of size zero of every kind, and symbols in them
//! shows[o r]: .text.none .data.none .rodata.none .bss.none
//! call: probe() = 1
//! exports: nowhere_in_code nowhere_in_data nowhere_in_bss
	.section .text.none, "ax", @progbits
	.globl	nowhere_in_code
nowhere_in_code:

	.section .data.none, "aw", @progbits
	.balign	16
	.globl	nowhere_in_data
nowhere_in_data:

	.section .rodata.none, "a", @progbits
	.globl	nowhere_in_constants
	.hidden	nowhere_in_constants
nowhere_in_constants:

	.section .bss.none, "aw", @nobits
	.globl	nowhere_in_bss
nowhere_in_bss:

	.section .init_array, "aw", @init_array

	.text
	.globl	probe
	.type	probe, @function
probe:
	mov	$1, %eax
	lea	nowhere_in_constants(%rip), %rdx
	ret
	.size	probe, . - probe

	.section .note.GNU-stack, "", @progbits
