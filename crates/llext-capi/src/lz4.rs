//! Files that are LZ4 frames: their contents, in the heap.
//!
//! By the [frame format](https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), of which nothing is believed: a frame says
//! how large its contents are, as many come of its blocks, and every checksum that it has is right. What follows it is not read.

use crate::errno::{EINVAL, EIO, ENOMEM};
use crate::heap::Lease;
use crate::load::Refusal;
use crate::source::LoaderSource;
use llext::Source;
use llext::source::ReadError;
use lz4_flex::block::decompress_into_with_dict;
use twox_hash::XxHash32;

const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
/// The header of a frame that says how large its contents are, and needs no dictionary.
const HEADER: usize = 15;
/// In a block's size: it is not compressed.
const STORED: u32 = 1 << 31;

const DAMAGED: Refusal = Refusal::Because(-EIO, "the LZ4 frame is damaged");
const CUT_OFF: Refusal = Refusal::Because(-EINVAL, "the LZ4 frame is cut off");

/// What the file of `source`, which is read to its end here, contains.
pub(crate) fn contents(source: LoaderSource) -> Result<Lease, Refusal> {
    let mut frame = Frame { source, at: 0 };
    let mut bytes = [0; HEADER];
    frame.read(&mut bytes)?;
    let header = Header::parse(&bytes)?;
    let too_large = Refusal::Because(-ENOMEM, "the LZ4 frame's contents do not fit into memory");
    let mut contents = match usize::try_from(header.size) {
        Ok(size) if isize::try_from(size).is_ok() => Lease::new(size)?,
        _ => return Err(too_large),
    };
    frame.blocks(header, contents.bytes_mut())?;
    Ok(contents)
}

/// What a frame's header says.
#[derive(Clone, Copy)]
struct Header {
    /// No block refers to those before it.
    independent: bool,
    block_checksums: bool,
    content_checksum: bool,
    /// No block has more, compressed or not.
    block: usize,
    /// How much the contents are.
    size: u64,
}

impl Header {
    fn parse(bytes: &[u8; HEADER]) -> Result<Self, Refusal> {
        let [m0, m1, m2, m3, flags, limits, s0, s1, s2, s3, s4, s5, s6, s7, check] = *bytes;
        let is = |bit: u8| flags & 1 << bit != 0;
        let is_first_version = flags >> 6 == 1;
        if [m0, m1, m2, m3] != MAGIC || !is_first_version || is(1) || limits & 0x8f != 0 || limits < 0x40 {
            return Err(DAMAGED);
        }
        if is(0) {
            return Err(Refusal::Because(-EIO, "the LZ4 frame wants a dictionary"));
        }
        let size = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
        if !is(3) || size == 0 {
            return Err(Refusal::Because(-EINVAL, "the LZ4 frame does not say how large its contents are"));
        }
        let described = [flags, limits, s0, s1, s2, s3, s4, s5, s6, s7];
        if XxHash32::oneshot(0, &described).to_le_bytes()[1] != check {
            return Err(DAMAGED);
        }
        // 64 KiB, 256 KiB, 1 MiB, 4 MiB.
        let block = 1 << (8 + 2 * (limits >> 4));
        Ok(Self { independent: is(5), block_checksums: is(4), content_checksum: is(2), block, size })
    }
}

/// A frame that is read from its beginning.
struct Frame {
    source: LoaderSource,
    at: u64,
}

impl Frame {
    fn read(&mut self, buffer: &mut [u8]) -> Result<(), Refusal> {
        self.source.read_at(self.at, buffer).map_err(|error| match error {
            ReadError::PastTheEnd { .. } => CUT_OFF,
            error => error.into(),
        })?;
        self.at += buffer.len() as u64;
        Ok(())
    }

    fn number(&mut self) -> Result<u32, Refusal> {
        let mut bytes = [0; 4];
        self.read(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Decompresses all blocks, which fill `contents`.
    fn blocks(&mut self, header: Header, contents: &mut [u8]) -> Result<(), Refusal> {
        let mut done = 0;
        loop {
            let size = self.number()?;
            if size == 0 {
                break; // the mark at the end
            }
            let (before, rest) = contents.split_at_mut_checked(done).ok_or(DAMAGED)?;
            let most = rest.len().min(header.block);
            let room = rest.get_mut(..most).unwrap_or_default();
            let before = if header.independent { &[] } else { &*before };
            let came = match size & STORED {
                0 => self.compressed(header, size as usize, before, room)?,
                _ => self.stored(header, (size & !STORED) as usize, room)?,
            };
            // So there are no more blocks than bytes.
            if came == 0 {
                return Err(DAMAGED);
            }
            done += came;
        }
        if done != contents.len()
            || header.content_checksum && self.number()? != XxHash32::oneshot(0, contents)
        {
            return Err(DAMAGED);
        }
        Ok(())
    }

    /// A block that is not compressed: how many bytes it has.
    fn stored(&mut self, header: Header, size: usize, room: &mut [u8]) -> Result<usize, Refusal> {
        let room = room.get_mut(..size).ok_or(DAMAGED)?;
        self.read(room)?;
        if header.block_checksums && self.number()? != XxHash32::oneshot(0, room) {
            return Err(DAMAGED);
        }
        Ok(size)
    }

    /// A block that is, and refers to what came `before`: how many bytes it gave.
    fn compressed(
        &mut self,
        header: Header,
        size: usize,
        before: &[u8],
        room: &mut [u8],
    ) -> Result<usize, Refusal> {
        // Nothing but literals: each byte of their length says 255 more.
        let largest = room.len() + room.len() / 255 + 16;
        if size > largest.min(header.block) {
            return Err(DAMAGED);
        }
        let at = self.at;
        self.at += size as u64;
        let check = if header.block_checksums { Some(self.number()?) } else { None };
        let copied = match self.source.bytes() {
            Some(_) => None,
            None => {
                let mut copied = Lease::new(size)?;
                self.source.read_at(at, copied.bytes_mut())?;
                Some(copied)
            }
        };
        let block = match &copied {
            Some(copied) => copied.bytes(),
            None => self.source.bytes().and_then(|bytes| piece(bytes, at, size)).ok_or(CUT_OFF)?,
        };
        if check.is_some_and(|check| check != XxHash32::oneshot(0, block)) {
            return Err(DAMAGED);
        }
        decompress_into_with_dict(block, room, before).map_err(|_| DAMAGED)
    }
}

fn piece(bytes: &[u8], at: u64, size: usize) -> Option<&[u8]> {
    bytes.get(usize::try_from(at).ok()?..)?.get(..size)
}
