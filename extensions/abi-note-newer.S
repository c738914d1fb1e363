//! about: a note with a newer ABI version is refused
//! shows: .note.llext
//! error: AbiTooNew
	.section .note.llext, "a", @note
	.balign	4
	.long	6, 4, 1
	.asciz	"llext"
	.balign	4
	.long	2

	.text
	.globl	probe
	.type	probe, @function
probe:
	mov	$1, %eax
	ret
	.size	probe, . - probe

	.section .note.GNU-stack, "", @progbits
