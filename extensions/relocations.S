//! about: every field that data may hold: 64 and 32 bits, absolute and by distance, with addends both ways
//! kinds: o r (a shared object has its linker's)
//! shows: R_X86_64_64 R_X86_64_PC64 R_X86_64_PC32 R_X86_64_32 R_X86_64_32S R_X86_64_NONE
//! call: probe() = 63
	.text
	.globl	probe
	.type	probe, @function
probe:
	xor	%eax, %eax
	lea	object(%rip), %rdx
	lea	4(%rdx), %rcx
	cmp	%rcx, absolute(%rip)
	jne	1f
	or	$1, %eax
1:	lea	-8(%rdx), %rcx
	cmp	%rcx, absolute_before(%rip)
	jne	2f
	or	$2, %eax
2:	lea	distance64(%rip), %rcx
	add	distance64(%rip), %rcx
	cmp	%rcx, %rdx
	jne	3f
	or	$4, %eax
3:	lea	distance32(%rip), %rcx
	movslq	distance32(%rip), %rsi
	add	%rsi, %rcx
	cmp	%rcx, %rdx
	jne	4f
	or	$8, %eax
4:	mov	short(%rip), %ecx
	cmp	%rcx, %rdx
	jne	5f
	or	$16, %eax
5:	mov	$object, %rcx
	cmp	%rcx, %rdx
	jne	6f
	or	$32, %eax
6:	.reloc	., R_X86_64_NONE, object
	ret

	.section .data.object, "aw", @progbits
	.globl	object
	.type	object, @object
	.size	object, 12
	.balign	8
object:
	.quad	0
	.long	0

	.data
	.balign	8
absolute:
	.quad	object + 4
absolute_before:
	.quad	object - 8
distance64:
	.quad	object - .
distance32:
	.long	object - .
short:
	.long	object

	.section .note.GNU-stack, "", @progbits
