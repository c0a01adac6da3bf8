//! Zip files: members are streamed, never unpacked to disk or held whole in memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

/// Most bytes that are read of one member, so that a zip bomb ends.
pub(crate) const LARGEST_MEMBER: u64 = 4 << 30;

/// Most members of one zip that are listed.
const MOST_MEMBERS: usize = 200_000;

/// A member of a zip file.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    archive: Arc<PathBuf>,
    offset: u64,
    compressed: u64,
    deflated: bool,
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
        Some(offset) => Ok(Member { archive: Arc::clone(path), offset, compressed: file.compressed_size(), deflated }),
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
            Box::new(DeflateDecoder::new(BufReader::with_capacity(64 << 10, packed)).take(LARGEST_MEMBER))
        } else {
            Box::new(packed.take(LARGEST_MEMBER))
        })
    }
}
