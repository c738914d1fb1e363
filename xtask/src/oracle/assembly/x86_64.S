/* What no compiler writes: the narrow fields, every field with addends both ways, every access through the GOT. */
	.text
	.globl	own
	.type	own, @function
own:	ret
branches:
	call	own
	call	ext_function_0
	jmp	ext_function_1
	jne	ext_function_2
	je	own + 1
	call	weak_function_0
	call	weak_function_1
	.weak	weak_function_0, weak_function_1, weak_data_0, weak_data_1
	ret

through_the_got:
	mov	ext_data_0@GOTPCREL(%rip), %rax
	mov	ext_data_1@GOTPCREL(%rip), %r11
	mov	number@GOTPCREL(%rip), %ecx
	mov	weak_data_0@GOTPCREL(%rip), %rdx
	mov	weak_data_1@GOTPCREL(%rip), %rdx
	lea	number@GOTPCREL(%rip), %rsi
	call	*ext_function_0@GOTPCREL(%rip)
	call	*own@GOTPCREL(%rip)
	jmp	*ext_function_1@GOTPCREL(%rip)
	jmp	*own@GOTPCREL(%rip)
	add	ext_data_0@GOTPCREL(%rip), %rax
	sub	number@GOTPCREL(%rip), %r9
	cmp	number@GOTPCREL(%rip), %rbx
	test	%rax, number@GOTPCREL(%rip)
	push	number@GOTPCREL(%rip)
	cmpl	$7, number@GOTPCREL(%rip)
	movabs	$number@GOT, %rax
	movabs	$ext_data_2@GOT, %rax
	movabs	$_GLOBAL_OFFSET_TABLE_ - ., %rcx
	movabs	$number@GOTOFF, %rdx
	movabs	$own@PLTOFF, %rdx
	.byte	0xb8
	.reloc	., R_X86_64_GOT32, number
	.long	0
	lea	_GLOBAL_OFFSET_TABLE_(%rip), %rbx

	.globl	tiny, minus
	.set	tiny, 0x45
	.set	minus, -3
	.data
	.globl	number
	.balign	8
number:	.long	1
distances:
	.reloc	., R_X86_64_64, ext_data_0 + 5
	.quad	0
	.reloc	., R_X86_64_64, number - 9
	.quad	0
	.reloc	., R_X86_64_PC64, ext_data_0 - 1
	.quad	0
#ifdef FIRST /* LLD knows no such type */
	.reloc	., R_X86_64_GOTPCREL64, number
	.quad	0
#endif
	.reloc	., R_X86_64_GOTPC64, _GLOBAL_OFFSET_TABLE_ + 3
	.quad	0
	.reloc	., R_X86_64_GOTOFF64, own - 2
	.quad	0
	.reloc	., R_X86_64_PC32, number + 0x1234
	.long	0
	.reloc	., R_X86_64_32, number + 1
	.long	0
	.reloc	., R_X86_64_32S, number - 1
	.long	0
	.reloc	., R_X86_64_32, minus + 3
	.long	0
	.reloc	., R_X86_64_32S, minus
	.long	0
	.reloc	., R_X86_64_GOTPCREL, number
	.long	0
	.reloc	., R_X86_64_16, tiny + 0x7000
	.word	0
	.reloc	., R_X86_64_16, minus
	.word	0
	.reloc	., R_X86_64_PC16, number
	.word	0
	.reloc	., R_X86_64_8, tiny
	.byte	0
	.reloc	., R_X86_64_8, minus
	.byte	0
	.reloc	., R_X86_64_PC8, distances + 0x80
	.byte	0
	.reloc	., R_X86_64_NONE, number
	.section .note.GNU-stack, "", @progbits
