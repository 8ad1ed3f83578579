//! Server-sent events from bytes (WHATWG HTML, §9.2.6), however the bytes are split.
//!
//! Lines end in CR, LF or CRLF; comments and fields other than `data` are dropped; several `data`
//! lines are joined by LF; an event without its blank line is none. An event that lies whole within
//! one piece is handed on without being copied.

use memchr::memchr2;

/// The longest event that is held, in bytes.
pub const MAX_EVENT_BYTES: usize = 8 << 20;

/// Why an event could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// An event is longer than [`MAX_EVENT_BYTES`].
    #[error("an event is longer than {MAX_EVENT_BYTES} bytes")]
    TooLong,
    /// An event is not UTF-8.
    #[error("an event is not UTF-8")]
    NotUtf8,
}

/// Finds events in bytes that come piece by piece.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// The data of an event whose blank line has not come; its lines each end in LF.
    data: Vec<u8>,
    /// The last piece ended in CR: a LF at the next one's start belongs to it.
    after_cr: bool,
    /// The first line, which may begin with a byte order mark, has been read.
    begun: bool,
}

impl Decoder {
    /// Reads the next piece and hands the data of each event that it completes to `event`.
    ///
    /// # Errors
    /// [`SseError`], or what `event` returns; the decoder is of no use afterwards.
    pub fn push<E: From<SseError>>(
        &mut self,
        piece: &[u8],
        mut event: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = piece;
        if std::mem::take(&mut self.after_cr) {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        // The event's only `data` line so far, when it lies whole in this piece.
        let mut here: Option<&[u8]> = None;
        while let Some((line, after)) = self.next_line(rest) {
            rest = after;
            if !self.line.is_empty() {
                self.line.extend_from_slice(line);
                let joined = std::mem::take(&mut self.line);
                // Not empty, so it dispatches nothing.
                if let Some(data) = data_of(strip_mark(&mut self.begun, &joined)) {
                    self.keep(here.take(), data)?;
                }
                continue;
            }
            let line = strip_mark(&mut self.begun, line);
            match data_of(line) {
                Some(data) if here.is_none() && self.data.is_empty() => here = Some(data),
                Some(data) => self.keep(here.take(), data)?,
                None if line.is_empty() => self.dispatch(here.take(), &mut event)?,
                None => {}
            }
        }
        if let Some(data) = here {
            self.keep(None, data)?;
        }
        self.line.extend_from_slice(rest);
        if self.line.len() + self.data.len() > MAX_EVENT_BYTES {
            return Err(SseError::TooLong.into());
        }
        Ok(())
    }

    /// The next whole line of `rest` and what follows it.
    fn next_line<'a>(&mut self, rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (line, after) = rest.split_at_checked(memchr2(b'\r', b'\n', rest)?)?;
        if after == b"\r" {
            self.after_cr = true;
            return Some((line, &[]));
        }
        Some((line, after.strip_prefix(b"\r\n").or_else(|| after.get(1..))?))
    }

    /// Adds lines to the event's data.
    fn keep(&mut self, before: Option<&[u8]>, data: &[u8]) -> Result<(), SseError> {
        for line in before.into_iter().chain([data]) {
            self.data.extend_from_slice(line);
            self.data.push(b'\n');
        }
        if self.data.len() > MAX_EVENT_BYTES { Err(SseError::TooLong) } else { Ok(()) }
    }

    fn dispatch<E: From<SseError>>(
        &mut self,
        here: Option<&[u8]>,
        event: &mut impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let kept;
        let data = match here {
            Some(data) => data,
            None if self.data.is_empty() => return Ok(()),
            None => {
                kept = std::mem::take(&mut self.data);
                kept.strip_suffix(b"\n").unwrap_or(&kept)
            }
        };
        event(std::str::from_utf8(data).map_err(|_| SseError::NotUtf8)?)
    }
}

/// The value of a `data` line.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data")? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        [_, ..] => None,
    }
}

fn strip_mark<'a>(begun: &mut bool, line: &'a [u8]) -> &'a [u8] {
    if std::mem::replace(begun, true) {
        return line;
    }
    line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
}
