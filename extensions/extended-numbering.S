//! about: more than 65,280 sections, so that indexes need SHT_SYMTAB_SHNDX and the header's extended counts
//! kinds: o (a linker would join the sections)
//! shows: sections>=66000 SHT_SYMTAB_SHNDX
//! call: first() = 2
//! call: last() = 66000
//! call: highest() = 42
	.section .text.first, "ax", @progbits
	.globl	first
	.type	first, @function
first:
	mov	one(%rip), %eax
	add	last_one(%rip), %eax
	ret

	.section .data.one, "aw", @progbits
one:
	.long	1

	.set	index, 0
	.macro	another
	.section .rodata.\@, "a", @progbits
	.set	index, index + 1
	/* In sections 65535 and 65536: once the second was taken to lie in the first, which SHN_XINDEX is the number of. */
	.if	index == 65529
seven:	.long	7
	.endif
	.if	index == 65530
thirty_five: .long 35
	.endif
	.endm
	.rept	66000
	another
	.endr
	.long	66000

	.section .data.last, "aw", @progbits
last_one:
	.long	1

	.section .text.last, "ax", @progbits
	.globl	last
	.type	last, @function
last:
	mov	count(%rip), %eax
	ret

	.globl	highest
	.type	highest, @function
highest:
	mov	seven(%rip), %eax
	add	thirty_five(%rip), %eax
	ret

	.section .rodata.count, "a", @progbits
count:
	.long	66000

	.section .note.GNU-stack, "", @progbits
