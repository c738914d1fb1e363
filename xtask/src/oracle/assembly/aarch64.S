/* What compilers write seldom or never: each field, with addends. */
	.macro	at type, symbol, instruction
	.reloc	., \type, \symbol
	.inst	\instruction
	.endm

	.text
	.globl	own
	.type	own, %function
own:	ret
branches:
	at	R_AARCH64_CALL26, own, 0x94000000
	at	R_AARCH64_JUMP26, own + 4, 0x14000000
	at	R_AARCH64_CALL26, ext_function_0, 0x94000000
	at	R_AARCH64_CALL26, ext_function_1, 0x94000000
	at	R_AARCH64_JUMP26, ext_function_2, 0x14000000
	at	R_AARCH64_CALL26, weak_function_0, 0x94000000
	at	R_AARCH64_JUMP26, weak_function_1, 0x14000000
	.weak	weak_function_0, weak_function_1
	at	R_AARCH64_CONDBR19, own, 0x54000000
	at	R_AARCH64_CONDBR19, own + 8, 0xb4000003
	at	R_AARCH64_TSTBR14, own, 0x36180000

addresses:
	at	R_AARCH64_LD_PREL_LO19, number, 0x58000000
	at	R_AARCH64_ADR_PREL_LO21, number + 3, 0x10000001
	at	R_AARCH64_ADR_PREL_PG_HI21, number + 0x5000, 0x90000002
	at	R_AARCH64_ADR_PREL_PG_HI21_NC, number, 0x90000003
	at	R_AARCH64_ADD_ABS_LO12_NC, number + 0x123, 0x91000063
	at	R_AARCH64_LDST8_ABS_LO12_NC, number + 1, 0x39400063
	at	R_AARCH64_LDST16_ABS_LO12_NC, number + 2, 0x79400063
	at	R_AARCH64_LDST32_ABS_LO12_NC, number + 4, 0xb9400063
	at	R_AARCH64_LDST64_ABS_LO12_NC, number + 8, 0xf9400063
	at	R_AARCH64_LDST128_ABS_LO12_NC, number + 16, 0x3dc00063

moves:
	at	R_AARCH64_MOVW_UABS_G0, tiny, 0xd2800000
	at	R_AARCH64_MOVW_UABS_G0_NC, number + 5, 0xf2800000
	at	R_AARCH64_MOVW_UABS_G1, number, 0xd2a00000
	at	R_AARCH64_MOVW_UABS_G1_NC, number, 0xf2a00000
	at	R_AARCH64_MOVW_UABS_G2, number, 0xd2c00000
	at	R_AARCH64_MOVW_UABS_G2_NC, number, 0xf2c00000
	at	R_AARCH64_MOVW_UABS_G3, number, 0xd2e00000
	at	R_AARCH64_MOVW_SABS_G0, tiny, 0xd2800000
	at	R_AARCH64_MOVW_SABS_G0, minus, 0xd2800000
	at	R_AARCH64_MOVW_SABS_G1, number, 0xd2a00000
	at	R_AARCH64_MOVW_SABS_G1, minus - 0x12345, 0xd2a00000
	at	R_AARCH64_MOVW_SABS_G2, number, 0xd2c00000
	at	R_AARCH64_MOVW_SABS_G2, minus, 0xd2c00000
#ifndef FIRST /* GNU ld applies these only when it links a shared object */
	at	R_AARCH64_MOVW_PREL_G0, own + 0x20, 0xd2800000
	at	R_AARCH64_MOVW_PREL_G0, beyond, 0xd2800000
	at	R_AARCH64_MOVW_PREL_G0_NC, number, 0xf2800000
	at	R_AARCH64_MOVW_PREL_G1, own, 0xd2a00000
	at	R_AARCH64_MOVW_PREL_G1, number, 0xd2a00000
	at	R_AARCH64_MOVW_PREL_G1_NC, number, 0xf2a00000
	at	R_AARCH64_MOVW_PREL_G2, own, 0xd2c00000
	at	R_AARCH64_MOVW_PREL_G2_NC, own, 0xf2c00000
	at	R_AARCH64_MOVW_PREL_G3, beyond, 0xd2e00000
#endif

through_the_got:
	at	R_AARCH64_ADR_GOT_PAGE, number, 0x90000000
	at	R_AARCH64_LD64_GOT_LO12_NC, number, 0xf9400000
	at	R_AARCH64_ADR_GOT_PAGE, ext_data_0, 0x90000000
	at	R_AARCH64_LD64_GOT_LO12_NC, ext_data_0, 0xf9400000
	at	R_AARCH64_LD64_GOTPAGE_LO15, ext_data_0, 0xf9400000
	at	R_AARCH64_GOT_LD_PREL19, ext_data_0, 0x58000000
#ifdef FIRST /* LLD knows no such type */
	at	R_AARCH64_LD64_GOTOFF_LO15, number, 0xf9400000
#endif
beyond:

	.data
	.balign	64
	.globl	number
number:	.fill	64
distances:
	.reloc	., R_AARCH64_ABS64, ext_data_0 + 5
	.quad	0
	.reloc	., R_AARCH64_PREL64, ext_data_0 - 5
	.quad	0
	.reloc	., R_AARCH64_ABS32, number + 1
	.long	0
#ifndef FIRST /* GNU ld takes negative numbers for too long */
	.reloc	., R_AARCH64_ABS32, minus
	.long	0
	.reloc	., R_AARCH64_ABS16, minus
	.hword	0
	.hword	0
#endif
	.reloc	., R_AARCH64_PREL32, own - 1
	.long	0
#if defined __clang__ && !defined FIRST /* the newer types */
	.reloc	., R_AARCH64_PLT32, own
	.long	0
#endif
	.reloc	., R_AARCH64_ABS16, tiny
	.hword	0
	.hword	0
	.reloc	., R_AARCH64_PREL16, number
	.hword	0
	.hword	0
	.reloc	., R_AARCH64_NONE, number
