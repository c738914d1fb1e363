//! about: absolute symbols keep their value wherever the extension lies, small ones and 64-bit ones
//! kinds: o r so+clang (in shared objects GNU ld takes absolute symbols for relative ones)
//! flags[so]: -DSHARED
//! shows: SHN_ABS
//! shows[o r]: R_X86_64_64 R_X86_64_32
//! call: small() = 4660
//! call: large() = 1
//! call: in_data() = 1
	.globl	small_value
	.set	small_value, 0x1234
	.globl	large_value
	.set	large_value, 0x123456789abcdef0

	.text
	.globl	small
	.type	small, @function
small:
	mov	words + 8(%rip), %rax
	ret

	.globl	large
	.type	large, @function
large:
	xor	%eax, %eax
	movabs	$0x123456789abcdef0, %rdx
	cmp	words(%rip), %rdx
	sete	%al
	ret

	.globl	in_data
	.type	in_data, @function
in_data:
	xor	%eax, %eax
	cmpl	$0x1234, words + 16(%rip)
	sete	%al
	ret

	.data
	.balign	8
words:
	.reloc	., R_X86_64_64, large_value
	.quad	0
	.reloc	., R_X86_64_64, small_value
	.quad	0
#ifdef SHARED /* where 32 bits cannot hold any address */
	.long	small_value
#else
	.reloc	., R_X86_64_32, small_value
	.long	0
#endif
	.long	0

	.section .note.GNU-stack, "", @progbits
