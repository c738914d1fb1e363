//! about: call, jmp and conditional jumps to functions more than 2 GiB away
//! shows[o r]: R_X86_64_PLT32
//! call: by_call(1, 2) = 103
//! call: by_jump(3, 4) = 7
//! call: by_condition(5, 0) = 5
//! call: by_condition(5, 6) = 11
	.text
	.globl	by_call
	.type	by_call, @function
by_call:
	sub	$8, %rsp
	call	host_far_add@PLT
	add	$8, %rsp
	add	$100, %eax
	ret
	.size	by_call, . - by_call

	.globl	by_jump
	.type	by_jump, @function
by_jump:
	jmp	host_far_add@PLT
	.size	by_jump, . - by_jump

	.globl	by_condition
	.type	by_condition, @function
by_condition:
	mov	%edi, %eax
	test	%esi, %esi
	jnz	host_far_add@PLT
	ret
	.size	by_condition, . - by_condition

	.section .note.GNU-stack, "", @progbits
