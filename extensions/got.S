//! about: each instruction that loads from a GOT slot, for own symbols (near) and the host's (far)
//! shows[o r]: R_X86_64_GOTPCREL R_X86_64_GOTPCRELX R_X86_64_REX_GOTPCRELX
//! call: near_load() = 42
//! call: near_call() = 5
//! call: near_jump() = 5
//! call: near_arithmetic() = 7
//! call: near_data_word() = 42
//! call: far_load() = 78
//! call: far_call(3, 4) = 7
//! call: far_jump(5, 6) = 11
//! call: far_compare() = 1
//! call: far_push() = 78
#define FUNCTION(name) .globl name; .type name, @function; name:

	.text
own_function:
	mov	$5, %eax
	ret

FUNCTION(near_load)
	mov	own_number@GOTPCREL(%rip), %rax
	mov	(%rax), %eax
	ret

FUNCTION(near_call)
	sub	$8, %rsp
	call	*own_function@GOTPCREL(%rip)
	add	$8, %rsp
	ret

FUNCTION(near_jump)
	jmp	*own_function@GOTPCREL(%rip)

/* Every form that a linker may relax, against the address by lea; 1 + 2 + 4 when they agree. */
FUNCTION(near_arithmetic)
	xor	%eax, %eax
	lea	own_number(%rip), %rdx
	cmp	own_number@GOTPCREL(%rip), %rdx
	jne	1f
	or	$1, %eax
1:	mov	%rdx, %rcx
	sub	own_number@GOTPCREL(%rip), %rcx
	jnz	2f
	or	$2, %eax
2:	mov	%rdx, %rcx
	xor	own_number@GOTPCREL(%rip), %rcx
	jnz	3f
	or	$4, %eax
3:	ret

/* A GOT slot's distance kept in data, read by position. */
FUNCTION(near_data_word)
	lea	slot_distance(%rip), %rdx
	movslq	(%rdx), %rax
	add	%rdx, %rax
	mov	(%rax), %rax
	mov	(%rax), %eax
	ret

FUNCTION(far_load)
	mov	host_far_number@GOTPCREL(%rip), %r11
	mov	(%r11), %eax
	ret

FUNCTION(far_call)
	sub	$8, %rsp
	call	*host_far_add@GOTPCREL(%rip)
	add	$8, %rsp
	ret

FUNCTION(far_jump)
	jmp	*host_far_add@GOTPCREL(%rip)

FUNCTION(far_compare)
	mov	host_far_number@GOTPCREL(%rip), %rdx
	xor	%eax, %eax
	cmp	host_far_number@GOTPCREL(%rip), %rdx
	sete	%al
	ret

FUNCTION(far_push)
	push	host_far_number@GOTPCREL(%rip)
	pop	%rdx
	mov	(%rdx), %eax
	ret

	.data
	.globl	own_number
	.hidden	own_number
	.balign	4
own_number:
	.long	42
slot_distance:
	.long	own_number@GOTPCREL

	.section .note.GNU-stack, "", @progbits
