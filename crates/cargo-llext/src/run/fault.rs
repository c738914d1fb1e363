//! The last words about an extension that ends this process: written in a signal handler, so without memory or locks.

use std::fmt::{self, Write};

use llext::host::Fault;

/// As much of them as there is room for.
struct Words {
    bytes: [u8; 512],
    len: usize,
}

impl Write for Words {
    /// What a terminal would act on becomes a question mark.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes[self.len..].iter_mut();
        for (place, byte) in room.zip(text.bytes()) {
            *place = if byte == b' ' || byte.is_ascii_graphic() { byte } else { b'?' };
            self.len += 1;
        }
        Ok(())
    }
}

/// Says on standard error which extension had the fault, and where.
pub(super) fn tell(fault: &Fault) {
    let mut words = Words { bytes: [0; 512], len: 0 };
    // It has an end for what does not fit.
    let _ = words.say(fault);
    let end = words.len.min(words.bytes.len() - 1);
    words.bytes[end] = b'\n';
    // Nothing can be done here about a closed standard error: the process ends by its signal.
    let _ = rustix::io::write(rustix::stdio::stderr(), &words.bytes[..=end]);
}

impl Words {
    fn say(&mut self, fault: &Fault) -> fmt::Result {
        let Fault { signal, place, address, .. } = fault;
        write!(self, "fault: {}: {signal} at ", place.extension)?;
        if let Some((symbol, offset)) = place.symbol {
            write!(self, "{symbol}+{offset:#x}, ")?;
        }
        write!(self, "{}+{:#x}, about address {address:#x}", place.part, place.offset)
    }
}
