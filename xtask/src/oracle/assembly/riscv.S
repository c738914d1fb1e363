/* What compilers write seldom or never: each field, with addends, and pairs in any order. */
	.option	norelax
	.macro	at type, symbol, instruction
	.reloc	., \type, \symbol
	.word	\instruction
	.endm

	.text
	.globl	own
	.type	own, %function
	.balign	4
own:	ret
	.balign	4
branches:
	at	R_RISCV_CALL, own, 0x00000097
	.word	0x000080e7
	at	R_RISCV_CALL_PLT, ext_function_0, 0x00000317
	.word	0x00030067
	at	R_RISCV_CALL_PLT, ext_function_1, 0x00000097
	.word	0x000080e7
	at	R_RISCV_CALL_PLT, weak_function_0, 0x00000097
	.word	0x000080e7
	at	R_RISCV_CALL_PLT, weak_function_1, 0x00000097
	.word	0x000080e7
	.weak	weak_function_0, weak_function_1
	at	R_RISCV_JAL, own, 0x000000ef
	at	R_RISCV_JAL, beyond, 0x0000006f
	at	R_RISCV_BRANCH, own, 0x00b50063
	at	R_RISCV_BRANCH, beyond, 0x00b51063
#ifdef __riscv_compressed
	.reloc	., R_RISCV_RVC_JUMP, own
	.half	0xa001
	.reloc	., R_RISCV_RVC_BRANCH, own
	.half	0xc101
	.reloc	., R_RISCV_RVC_BRANCH, beyond
	.half	0xe101
#if defined FIRST && !defined __clang__ /* LLVM knows no such type */
	.reloc	., R_RISCV_RVC_LUI, tiny
	.half	0x6505
#else
	.half	1
#endif
#endif

/* Lower parts before their upper part, and two for one. */
pairs:
	at	R_RISCV_PCREL_LO12_I, upper, 0x00050513
	at	R_RISCV_PCREL_LO12_S, upper, 0x00b52023
upper:	at	R_RISCV_PCREL_HI20, number + 0x7fc, 0x00000517
	at	R_RISCV_PCREL_LO12_I, upper, 0x00052503
slot:	at	R_RISCV_GOT_HI20, ext_data_0, 0x00000517
	at	R_RISCV_PCREL_LO12_I, slot, 0x00052503
	at	R_RISCV_HI20, number + 0x800, 0x00000537
	at	R_RISCV_LO12_I, number + 0x800, 0x00050513
	at	R_RISCV_LO12_S, number - 4, 0x00b52023
beyond:

	.globl	tiny
	.set	tiny, 0x5000
	.data
	.balign	8
	.globl	number
number:	.fill	16
distances:
	.macro	field add, subtract, size, value
	.reloc	., \add, beyond
	.reloc	., \subtract, branches
	.\size	\value
	.endm
	field	R_RISCV_ADD8, R_RISCV_SUB8, byte, 3
	field	R_RISCV_SET8, R_RISCV_SUB8, byte, 3
	field	R_RISCV_SET6, R_RISCV_SUB6, byte, 0xc0
	.byte	0
	field	R_RISCV_ADD16, R_RISCV_SUB16, half, 500
	field	R_RISCV_SET16, R_RISCV_SUB16, half, 500
	field	R_RISCV_ADD32, R_RISCV_SUB32, word, 70000
	field	R_RISCV_SET32, R_RISCV_SUB32, word, 70000
	field	R_RISCV_ADD64, R_RISCV_SUB64, dword, 70000
	.reloc	., R_RISCV_32_PCREL, number - 3
	.word	0
	.reloc	., R_RISCV_32, number + 1
	.word	0
#if defined __clang__ && !defined FIRST /* the newer types */
	.reloc	., R_RISCV_PLT32, own
	.word	0
	.reloc	., R_RISCV_GOT32_PCREL, ext_data_0
	.word	0
	.reloc	., R_RISCV_SET_ULEB128, beyond
	.reloc	., R_RISCV_SUB_ULEB128, branches
	.byte	0x80, 0
	.byte	0, 0
#endif
	.reloc	., R_RISCV_NONE, number
