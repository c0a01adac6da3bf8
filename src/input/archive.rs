//! Zip files: members are streamed, never unpacked to disk or held whole in memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

/// A member that unpacks to more than this many times its packed size is no log but a zip bomb. Logs shrink to a tenth,
/// one message written again and again to a hundredth.
const MOST_UNPACKED: u64 = 250;

/// Bytes that are read of any member, however little it is packed to.
const ALWAYS_READ: u64 = 64 << 20;

/// Most members of one zip that are listed.
const MOST_MEMBERS: usize = 200_000;

/// A member of a zip file.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    archive: Arc<PathBuf>,
    offset: u64,
    compressed: u64,
    deflated: bool,
    /// Bytes and checksum that the zip's directory promises.
    size: u64,
    checksum: u32,
}

/// A member as the zip's directory lists it.
pub(crate) struct Entry {
    pub name: String,
    pub size: u64,
    /// The member, or why it cannot be read.
    pub member: Result<Member, &'static str>,
}

/// The files in the zip at `path`, in the order of its directory.
pub(crate) fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    let shared = Arc::new(path.to_owned());
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(io::Error::other)?;
    let count = archive.len().min(MOST_MEMBERS);
    Ok((0..count).filter_map(|index| entry(&mut archive, index, &shared)).collect())
}

fn entry(archive: &mut ZipArchive<BufReader<File>>, index: usize, path: &Arc<PathBuf>) -> Option<Entry> {
    let Ok(file) = archive.by_index_raw(index) else {
        let name = format!("member {}", index + 1);
        return Some(Entry { name, size: 0, member: Err("its place in the zip cannot be found") });
    };
    if file.is_dir() {
        return None;
    }
    let deflated = file.compression() == CompressionMethod::Deflated;
    let member = match file.data_start() {
        _ if file.encrypted() => Err("it is encrypted in the zip; unpack it first"),
        _ if !deflated && file.compression() != CompressionMethod::Stored => {
            Err("it is compressed in another way than deflate; unpack it first")
        }
        Some(offset) => Ok(Member {
            archive: Arc::clone(path),
            offset,
            compressed: file.compressed_size(),
            deflated,
            size: file.size(),
            checksum: file.crc32(),
        }),
        None => Err("its place in the zip cannot be found"),
    };
    let name = file.name().map_or_else(|_| format!("member {}", index + 1), |name| name.replace('\\', "/"));
    Some(Entry { name, size: file.size(), member })
}

impl Member {
    /// The member's bytes, unpacked as they are read.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut file = File::open(self.archive.as_path())?;
        file.seek(SeekFrom::Start(self.offset))?;
        let packed = file.take(self.compressed);
        Ok(if self.deflated {
            let packed = BufReader::with_capacity(64 << 10, packed);
            Box::new(Checked::new(DeflateDecoder::new(packed), self))
        } else {
            Box::new(Checked::new(packed, self))
        })
    }
}

/// A member's bytes, which fail where they are not what the directory promises, or far too many.
struct Checked<R> {
    bytes: R,
    sum: Crc,
    read: u64,
    most: u64,
    size: u64,
    checksum: u32,
}

impl<R> Checked<R> {
    fn new(bytes: R, member: &Member) -> Self {
        let most = member.compressed.saturating_mul(MOST_UNPACKED).max(ALWAYS_READ);
        Self { bytes, sum: Crc::new(), read: 0, most, size: member.size, checksum: member.checksum }
    }

    fn end(&self) -> io::Result<usize> {
        let (read, size) = (self.read, self.size);
        if read != size {
            return damaged(format!("the zip promises {size} bytes of it and holds {read}; it is damaged"));
        }
        if self.sum.sum() != self.checksum {
            return damaged("its bytes do not match its checksum in the zip; it is damaged".to_owned());
        }
        Ok(0)
    }
}

fn damaged<T>(words: String) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidData, words))
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.read >= self.most && self.read != self.size {
            let (read, most) = (self.read, MOST_UNPACKED);
            return damaged(format!(
                "it unpacks to over {most} times its packed size, as no log does; the first {read} bytes were read"
            ));
        }
        let room = usize::try_from(self.most - self.read).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..room).unwrap_or_default();
        let count = self.bytes.read(buffer)?;
        if count == 0 {
            return self.end();
        }
        self.sum.update(buffer.get(..count).unwrap_or_default());
        self.read += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(count)
    }
}
