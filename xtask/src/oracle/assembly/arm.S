/* What compilers write seldom or never, of each instruction set that the core has. Addends lie in the fields. */
	.syntax	unified
	.macro	a32 type, symbol, instruction
	.reloc	., \type, \symbol
	.inst	\instruction
	.endm
	.macro	wide type, symbol, instruction
	.reloc	., \type, \symbol
	.inst.w	\instruction
	.endm
	.macro	narrow type, symbol, instruction
	.reloc	., \type, \symbol
	.inst.n	\instruction
	.endm

	.text
	.globl	own
	.weak	weak_function_0, weak_function_1
	.balign	4
#ifdef __ARM_ARCH_ISA_ARM
	.arm
	.type	own, %function
own:	bx	lr
	a32	R_ARM_V4BX, own, 0xe12fff1e
	a32	R_ARM_CALL, own, 0xebfffffe
	a32	R_ARM_JUMP24, own, 0xeafffffe
	a32	R_ARM_JUMP24, own, 0x0a000001
	a32	R_ARM_CALL, ext_function_0, 0xebfffffe
	a32	R_ARM_CALL, ext_function_1, 0xebfffffe
	a32	R_ARM_JUMP24, ext_function_2, 0xeafffffe
	a32	R_ARM_JUMP24, ext_function_3, 0xeafffffe
	a32	R_ARM_CALL, weak_function_0, 0xebfffffe
	a32	R_ARM_JUMP24, weak_function_1, 0xeafffffe
	a32	R_ARM_MOVW_ABS_NC, number, 0xe3000005
	a32	R_ARM_MOVT_ABS, number, 0xe3400005
	a32	R_ARM_MOVW_PREL_NC, number, 0xe30f0ffc
	a32	R_ARM_MOVT_PREL, number, 0xe34f0ffc
	a32	R_ARM_LDR_PC_G0, beyond, 0xe51f0008
	.thumb
	.type	thumb_own, %function
thumb_own:
#else
	.thumb
	.type	own, %function
	.thumb_func
own:	bx	lr
	nop
thumb_own:
#endif
	wide	R_ARM_THM_CALL, own, 0xf7fffffe
	wide	R_ARM_THM_CALL, ext_function_0, 0xf7fffffe
	wide	R_ARM_THM_CALL, ext_function_1, 0xf7fffffe
	wide	R_ARM_THM_CALL, weak_function_0, 0xf7fffffe
	wide	R_ARM_THM_CALL, weak_function_1, 0xf7fffffe
	narrow	R_ARM_THM_JUMP11, thumb_beyond, 0xe7fe
	narrow	R_ARM_THM_JUMP8, thumb_beyond, 0xd0fe
#if __ARM_ARCH_ISA_THUMB == 2
	wide	R_ARM_THM_JUMP24, ext_function_2, 0xf7ffbffe
	wide	R_ARM_THM_JUMP24, ext_function_3, 0xf7ffbffe
	wide	R_ARM_THM_JUMP24, weak_function_1, 0xf7ffbffe
	wide	R_ARM_THM_JUMP19, thumb_beyond, 0xf43faffe
	wide	R_ARM_THM_MOVW_ABS_NC, number, 0xf2400005
	wide	R_ARM_THM_MOVT_ABS, number, 0xf2c00005
	wide	R_ARM_THM_MOVW_PREL_NC, number, 0xf64f70fc
	wide	R_ARM_THM_MOVT_PREL, number, 0xf6cf70fc
#ifdef FIRST /* LLD knows no such type */
	narrow	R_ARM_THM_JUMP6, thumb_beyond, 0xb100
#endif
#else
	movs	r0, #:upper8_15:number
	adds	r0, #:upper0_7:number
	adds	r0, #:lower8_15:number
	adds	r0, #:lower0_7:number
#endif
	.type	thumb_beyond, %function
	.thumb_func
thumb_beyond:
	nop
	.balign	4
beyond:	.word	0

	.data
	.balign	4
	.globl	number
number:	.word	1
distances:
	.reloc	., R_ARM_ABS32, ext_data_0
	.word	5
	.reloc	., R_ARM_REL32, number
	.word	-9
	.reloc	., R_ARM_TARGET1, ext_function_0
	.word	0
	.reloc	., R_ARM_PREL31, own
	.word	0x80000000
	.word	number(GOTOFF)
	.word	_GLOBAL_OFFSET_TABLE_ - .
	.word	number(GOT)
	.reloc	., R_ARM_GOT_PREL, ext_data_1
	.word	0
#ifdef FIRST
	.reloc	., R_ARM_ABS16, tiny
	.hword	0x10
	.hword	0
#endif
	.reloc	., R_ARM_NONE, number
