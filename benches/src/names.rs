//! The names of the host's functions, as an embedded host has them: layer, subsystem, operation, number.
//!
//! Shared by the build script, which writes the functions, and by the generator, which writes their callers.

/// How many functions the host exports.
pub const HOST_FUNCTIONS: usize = 10_000;

const SUBSYSTEMS: [&str; 44] = [
    "adc", "bt", "can", "clk", "cnt", "crypto", "dac", "disk", "dma", "eeprom", "ethernet", "flash", "fs",
    "gpio", "heap", "i2c", "i2s", "ipm", "irq", "kernel", "led", "log", "mbox", "mem", "msgq", "mutex",
    "net", "pinctrl", "poll", "pwm", "rtc", "sem", "sensor", "settings", "shell", "spi", "stack", "thread",
    "timer", "uart", "usb", "video", "wdt", "work",
];

const OPERATIONS: [&str; 24] = [
    "alloc",
    "cancel",
    "close",
    "configure",
    "create",
    "disable",
    "enable",
    "flush",
    "free",
    "get",
    "init",
    "open",
    "poll",
    "put",
    "read",
    "release",
    "reset",
    "send",
    "set",
    "start",
    "stop",
    "submit",
    "wait",
    "write",
];

/// The name of the function that returns `number`.
pub fn host_function(number: usize) -> String {
    let subsystem = SUBSYSTEMS[number % SUBSYSTEMS.len()];
    let operation = OPERATIONS[number / SUBSYSTEMS.len() % OPERATIONS.len()];
    format!("z_impl_{subsystem}_{operation}_{number:05}")
}
