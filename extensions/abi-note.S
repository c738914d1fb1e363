//! about: a note with the ABI version of this llext is accepted
//! shows: .note.llext
//! call: probe() = 1
	.section .note.llext, "a", @note
	.balign	4
	.long	6, 4, 1
	.asciz	"llext"
	.balign	4
	.long	1

	.text
	.globl	probe
	.type	probe, @function
probe:
	mov	$1, %eax
	ret
	.size	probe, . - probe

	.section .note.GNU-stack, "", @progbits
