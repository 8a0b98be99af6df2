//! The codings, each with settings for answers that are compressed as they are sent.

use std::io::{self, Write};

use brotli::CompressorWriter;
use bytes::Bytes;
use ebbtide_core::policy::Coding;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Of these levels each costs about as much as the others.
const GZIP_LEVEL: u32 = 5;
const BROTLI_QUALITY: u32 = 4;
const ZSTD_LEVEL: i32 = 3;

/// How far back what repeats is found, as a power of two: 256 KiB, which bounds what an encoder and
/// the client's decoder need.
const WINDOW_LOG: u32 = 18;

/// Bytes that brotli writes out at once.
const BROTLI_BUFFER: usize = 4096;

/// Compresses what is written to it.
pub(super) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    pub(super) fn new(coding: Coding) -> io::Result<Self> {
        let out = Vec::new();
        Ok(match coding {
            Coding::Gzip => Self::Gzip(GzEncoder::new(out, Compression::new(GZIP_LEVEL))),
            Coding::Brotli => {
                let writer = CompressorWriter::new(out, BROTLI_BUFFER, BROTLI_QUALITY, WINDOW_LOG);
                Self::Brotli(Box::new(writer))
            }
            Coding::Zstd => {
                let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL)?;
                encoder.window_log(WINDOW_LOG)?;
                Self::Zstd(encoder)
            }
        })
    }

    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(data),
            Self::Brotli(encoder) => encoder.write_all(data),
            Self::Zstd(encoder) => encoder.write_all(data),
        }
    }

    /// Lets out all that was written, so that the client can read it now.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.flush(),
            Self::Brotli(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }

    /// What has come out so far.
    pub(super) fn take_output(&mut self) -> Bytes {
        let out = match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        };
        Bytes::from(std::mem::take(out))
    }

    /// The end of what comes out.
    pub(super) fn finish(self) -> io::Result<Bytes> {
        let out = match self {
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Brotli(encoder) => encoder.into_inner(),
            Self::Zstd(encoder) => encoder.finish()?,
        };
        Ok(Bytes::from(out))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use proptest::prelude::*;

    const CODINGS: [Coding; 3] = [Coding::Gzip, Coding::Brotli, Coding::Zstd];

    /// As much as can be read of what an encoder has put out, which need not be all of it.
    fn decode(coding: Coding, compressed: &[u8]) -> Vec<u8> {
        let mut reader: Box<dyn Read + '_> = match coding {
            Coding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(compressed)),
            Coding::Brotli => Box::new(brotli::Decompressor::new(compressed, 4096)),
            Coding::Zstd => Box::new(zstd::Decoder::new(compressed).unwrap()),
        };
        let mut data = Vec::new();
        let mut byte = [0];
        while let Ok(1) = reader.read(&mut byte) {
            data.push(byte[0]);
        }
        data
    }

    #[test]
    fn what_is_flushed_can_be_read_before_the_end() {
        for coding in CODINGS {
            let mut encoder = Encoder::new(coding).unwrap();
            let mut out = Vec::new();
            for text in ["first,", "second,", "third"] {
                encoder.write(text.as_bytes()).unwrap();
                encoder.flush().unwrap();
                out.extend(encoder.take_output());
                assert!(
                    decode(coding, &out).ends_with(text.as_bytes()),
                    "{coding:?}"
                );
            }
            out.extend(encoder.finish().unwrap());
            assert_eq!(decode(coding, &out), b"first,second,third", "{coding:?}");
        }
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            pieces in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..300), any::<bool>()),
                0..8,
            ),
        ) {
            for coding in CODINGS {
                let mut encoder = Encoder::new(coding).unwrap();
                let mut out = Vec::new();
                for (piece, flush) in &pieces {
                    encoder.write(piece).unwrap();
                    if *flush {
                        encoder.flush().unwrap();
                    }
                    out.extend(encoder.take_output());
                }
                out.extend(encoder.finish().unwrap());
                let all: Vec<_> = pieces.iter().flat_map(|(piece, _)| piece.clone()).collect();
                prop_assert_eq!(decode(coding, &out), all);
            }
        }
    }
}
