//! FAT, by <https://docs.rs/embedded-sdmmc/0.10>: its files are streams of `embedded-io`, which llext reads as they are.

use core::cell::RefCell;
use embedded_sdmmc::{
    Block, BlockCount, BlockDevice, BlockIdx, Error, Mode, TimeSource, Timestamp, VolumeIdx, VolumeManager,
};
use llext::source::{EmbeddedIo, ReadError, Source};

/// Opens the file called `name` at the root of a card's first partition, and gives it to `with`.
pub fn open<S: Source, R>(
    card: S,
    name: &str,
    with: impl FnOnce(&mut dyn Source) -> R,
) -> Result<R, Error<ReadError>> {
    let volumes: VolumeManager<_, _, 1, 1, 1> =
        VolumeManager::new_with_limits(Card(RefCell::new(card)), Undated, 0);
    let volume = volumes.open_volume(VolumeIdx(0))?;
    let root = volume.open_root_dir()?;
    let file = root.open_file_in_dir(name, Mode::ReadOnly)?;
    Ok(with(&mut EmbeddedIo::new(file)))
}

/// A card that is only read, for which an image stands here. A real one is `embedded_sdmmc::SdCard`, over SPI.
struct Card<S>(RefCell<S>);

impl<S: Source> BlockDevice for Card<S> {
    type Error = ReadError;

    fn read(&self, blocks: &mut [Block], first: BlockIdx) -> Result<(), ReadError> {
        let mut card = self.0.borrow_mut();
        for (block, index) in blocks.iter_mut().zip(u64::from(first.0)..) {
            card.read_at(index * Block::LEN as u64, &mut block.contents)?;
        }
        Ok(())
    }

    fn write(&self, _: &[Block], _: BlockIdx) -> Result<(), ReadError> {
        Err(ReadError::Failed { os: 0 })
    }

    fn num_blocks(&self) -> Result<BlockCount, ReadError> {
        let blocks = self.0.borrow_mut().size()? / Block::LEN as u64;
        Ok(BlockCount(u32::try_from(blocks).unwrap_or(u32::MAX)))
    }
}

/// Files that are only read need no clock.
struct Undated;

impl TimeSource for Undated {
    fn get_timestamp(&self) -> Timestamp {
        Timestamp::from_fat(0, 0)
    }
}
