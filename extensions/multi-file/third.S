	.text
	.globl	third
	.type	third, @function
third:
	mov	$7, %eax
	ret
	.size	third, . - third

	.section .note.GNU-stack, "", @progbits
