//! about: jumps and calls between sections, forwards and backwards, conditional ones too
//! shows[gcc+o]: R_X86_64_PC32
//! shows[clang+o]: R_X86_64_PLT32
//! call: probe() = 7
	.section .text.early, "ax", @progbits
early:
	add	$1, %eax
	test	%eax, %eax
	jnz	late_end
	ret

	.section .text.middle, "ax", @progbits
	.globl	probe
	.type	probe, @function
probe:
	xor	%eax, %eax
	call	late
	ret
	.size	probe, . - probe

	.section .text.late, "ax", @progbits
late:
	add	$2, %eax
	jmp	early
late_end:
	add	$4, %eax
	ret

	.section .note.GNU-stack, "", @progbits
