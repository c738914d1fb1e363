// From reset to `start`: floats, the MMU with its caches, vectors, a stack, .data and .bss.
// Without the MMU all memory would be a device's, where neither unaligned nor exclusive accesses are promised to work.

.section .text.start, "ax"
.global _start
_start:
    mov     x0, #(3 << 20)          // CPACR_EL1.FPEN: floats do not trap
    msr     cpacr_el1, x0
    adrp    x0, vectors
    msr     vbar_el1, x0
    ldr     x0, =0xff04             // attribute 0: device-nGnRE, 1: normal, write-back
    msr     mair_el1, x0
    ldr     x0, =0x80803519         // TCR: 39 bits of address, 4 KiB pages, cached walks, no second half
    msr     tcr_el1, x0
    adrp    x0, table
    msr     ttbr0_el1, x0
    isb
    mrs     x0, sctlr_el1
    mov     x1, #0x1005             // I, C, M: caches and MMU on
    orr     x0, x0, x1
    msr     sctlr_el1, x0
    isb

    ldr     x0, =__stack_top
    mov     sp, x0
    ldr     x0, =__data_start
    ldr     x1, =__data_end
    ldr     x2, =__data_load
1:  cmp     x0, x1
    b.hs    2f
    ldr     x3, [x2], #8
    str     x3, [x0], #8
    b       1b
2:  ldr     x0, =__bss_start
    ldr     x1, =__bss_end
3:  cmp     x0, x1
    b.hs    4f
    str     xzr, [x0], #8
    b       3b
4:  b       start

// Whatever happens is a fault.
.balign 2048
vectors:
.rept 16
    mrs     x0, elr_el1
    b       fault
    .balign 128
.endr

// Two blocks of 1 GiB: devices, never run, and RAM.
.section .rodata.table, "a"
.balign 4096
table:
    .quad   0x00000000 | 0x0060000000000401
    .quad   0x40000000 | 0x0000000000000705
    .zero   4096 - 16
