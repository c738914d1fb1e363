//! about: a section or segment that is writable and executable at once is refused
//! shows[o r]: .writable_code
//! error: WritableAndExecutable
	.section .writable_code, "awx", @progbits
	.globl	probe
	.type	probe, @function
probe:
	mov	$1, %eax
	ret
	.size	probe, . - probe

	.section .note.GNU-stack, "", @progbits
