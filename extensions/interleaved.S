//! about: sections of all kinds by turns, as clang orders them: code, data, constants, code, bss, data
//! shows[o]: .text.one .data.one .rodata.one .bss.one .text.two .data.two
//! call: first() = 111
//! call: second() = 222
#define SECTION(name, flags, type) .section name, flags, type; .balign 4
	SECTION(.text.one, "ax", @progbits)
	.globl	first
	.type	first, @function
first:
	mov	data_one(%rip), %eax
	add	constant_one(%rip), %eax
	addl	$100, bss_one(%rip)
	add	bss_one(%rip), %eax
	ret

	SECTION(.data.one, "aw", @progbits)
data_one:	.long	1

	SECTION(.rodata.one, "a", @progbits)
constant_one:	.long	10

	SECTION(.text.two, "ax", @progbits)
	.globl	second
	.type	second, @function
second:
	mov	data_two(%rip), %eax
	add	constant_two(%rip), %eax
	addl	$200, bss_two(%rip)
	add	bss_two(%rip), %eax
	ret

	SECTION(.bss.one, "aw", @nobits)
bss_one:	.skip	4

	SECTION(.data.two, "aw", @progbits)
data_two:	.long	2

	SECTION(.rodata.two, "a", @progbits)
constant_two:	.long	20

	SECTION(.bss.two, "aw", @nobits)
bss_two:	.skip	4

	.section .note.GNU-stack, "", @progbits
