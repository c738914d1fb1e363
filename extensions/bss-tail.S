//! about: symbols at the end of .bss, past its last byte, and in a tail that the file does not hold
//! call: size_of_bss() = 4100
//! call: tail() = 7
//! exports: at_the_end
	.text
	.globl	size_of_bss
	.type	size_of_bss, @function
size_of_bss:
	lea	at_the_end(%rip), %rax
	lea	at_the_start(%rip), %rdx
	sub	%rdx, %rax
	ret

	.globl	tail
	.type	tail, @function
tail:
	lea	last_word(%rip), %rdx
	addl	$7, (%rdx)
	mov	(%rdx), %eax
	ret

	.bss
	.balign	64
at_the_start:
	.skip	4096
last_word:
	.skip	4
	.globl	at_the_end
	.protected	at_the_end
at_the_end:

	.section .note.GNU-stack, "", @progbits
