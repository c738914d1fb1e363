@ From reset to `start`: vectors, a stack, .data and .bss. The MMU stays off: then all memory is a device's, which must be
@ accessed aligned.

.section .text.start, "ax"
.arm
.global _start
_start:
    ldr     r0, =vectors
    mcr     p15, 0, r0, c12, c0, 0      @ VBAR
    ldr     sp, =__stack_top
    ldr     r0, =__data_start
    ldr     r1, =__data_end
    ldr     r2, =__data_load
1:  cmp     r0, r1
    ldrlo   r3, [r2], #4
    strlo   r3, [r0], #4
    blo     1b
    ldr     r0, =__bss_start
    ldr     r1, =__bss_end
    mov     r3, #0
2:  cmp     r0, r1
    strlo   r3, [r0], #4
    blo     2b
    b       start
    .ltorg

@ Whatever happens is a fault; what was to run next is near where it happened.
.balign 32
vectors:
.rept 8
    b       1f
.endr
1:  ldr     sp, =__stack_top
    mov     r0, lr
    b       fault
    .ltorg
