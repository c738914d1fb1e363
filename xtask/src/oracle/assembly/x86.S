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
	call	own@PLT
	call	ext_function_0@PLT
	call	weak_function_0@PLT
	call	weak_function_1@PLT
	.weak	weak_function_0, weak_function_1, weak_data_0, weak_data_1
	ret

through_the_got:
	mov	ext_data_0@GOT(%ebx), %eax
	mov	ext_data_1@GOT(%esi), %ecx
	mov	number@GOT(%ebx), %edx
	mov	weak_data_0@GOT(%ebx), %edx
	mov	weak_data_1@GOT(%ebx), %edx
	lea	number@GOT(%ebx), %esi
	call	*ext_function_0@GOT(%ebx)
	call	*own@GOT(%ebx)
	jmp	*ext_function_1@GOT(%ebx)
	jmp	*own@GOT(%ebx)
	add	ext_data_0@GOT(%ebx), %eax
	cmp	number@GOT(%ebx), %ecx
	push	number@GOT(%ebx)
	mov	number@GOT, %ecx
	call	*own@GOT
	mov	number@GOTOFF(%ebx), %eax
	mov	$_GLOBAL_OFFSET_TABLE_, %ebx

	.globl	tiny, minus
	.set	tiny, 0x45
	.set	minus, -3
	.data
	.globl	number
	.balign	4
number:	.long	1
distances:
	.long	ext_data_0 + 5
	.long	number - 9
	.long	number - .
	.long	ext_data_0 - . + 7
	.reloc	., R_386_GOT32, number
	.long	0
	.reloc	., R_386_GOTOFF, own
	.long	-2
	.reloc	., R_386_GOTPC, _GLOBAL_OFFSET_TABLE_
	.long	3
	.reloc	., R_386_16, tiny
	.word	0x7000
	.reloc	., R_386_16, minus
	.word	0
	.reloc	., R_386_PC16, number
	.word	0
	.reloc	., R_386_8, tiny
	.byte	0
	.reloc	., R_386_8, minus
	.byte	0
	.reloc	., R_386_PC8, number
	.byte	0
	.reloc	., R_386_NONE, number
	.section .note.GNU-stack, "", @progbits
