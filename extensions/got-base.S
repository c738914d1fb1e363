//! about: _GLOBAL_OFFSET_TABLE_ and all that is counted from it, as large-model position-independent code does
//! kinds: o r-ld (rust-lld drops the symbol; a linked file keeps no trace of it)
//! shows: R_X86_64_GOTPC64 R_X86_64_GOTOFF64 R_X86_64_GOT64 R_X86_64_PLTOFF64
//! call: own_data() = 42
//! call: host_data() = 78
//! call: host_call(3, 4) = 7
#define FUNCTION(name) .globl name; .type name, @function; name:
#define GOT_BASE_IN_RBX \
1:	lea	1b(%rip), %rbx; \
	movabs	$_GLOBAL_OFFSET_TABLE_ - 1b, %r11; \
	add	%r11, %rbx

	.text
FUNCTION(own_data)
	push	%rbx
	GOT_BASE_IN_RBX
	movabs	$own_number@GOTOFF, %rax
	mov	(%rbx, %rax), %eax
	pop	%rbx
	ret

FUNCTION(host_data)
	push	%rbx
	GOT_BASE_IN_RBX
	movabs	$host_far_number@GOT, %rax
	mov	(%rbx, %rax), %rax
	mov	(%rax), %eax
	pop	%rbx
	ret

FUNCTION(host_call)
	push	%rbx
	GOT_BASE_IN_RBX
	movabs	$host_far_add@PLTOFF, %rax
	add	%rbx, %rax
	call	*%rax
	pop	%rbx
	ret

	.data
own_number:
	.long	42

	.section .note.GNU-stack, "", @progbits
