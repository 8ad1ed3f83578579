//! Server-sent events from bytes (WHATWG HTML, §9.2.6), however the bytes are split.
//!
//! Lines end in CR, LF or CRLF; fields other than `data` are dropped; several `data` lines are
//! joined by LF; an event without its blank line is none. Data that lies whole within one piece is
//! handed on without being copied.

use memchr::memchr2;

/// The longest event, and the longest line, in bytes.
pub const MAX_EVENT_BYTES: usize = 8 << 20;

/// What is found in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The data of one event, its lines joined by LF.
    Data(&'a str),
    /// A comment: the sender says that it is still there.
    Comment,
}

/// Why an event could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// An event or a line is longer than [`MAX_EVENT_BYTES`].
    #[error("an event is longer than {MAX_EVENT_BYTES} bytes")]
    TooLong,
    /// An event is not UTF-8.
    #[error("an event is not UTF-8")]
    NotUtf8,
}

/// Finds events in bytes that come piece by piece.
///
/// ```
/// use tollhouse_core::stream::sse::{Decoder, Event, SseError};
///
/// let mut decoder = Decoder::default();
/// let mut found = Vec::new();
/// for piece in [b"data: on".as_slice(), b"e\r", b"\n\r\ndata: tw"] {
///     decoder.push(piece, |event| {
///         found.push(format!("{event:?}"));
///         Ok::<(), SseError>(())
///     })?;
/// }
/// assert_eq!(found, ["Data(\"one\")"]);
/// # Ok::<(), SseError>(())
/// ```
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
    /// Reads the next piece and hands what it completes to `found`, in order.
    ///
    /// # Errors
    /// [`SseError`], or what `found` returns; the decoder is of no use afterwards.
    pub fn push<E: From<SseError>>(
        &mut self,
        piece: &[u8],
        mut found: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = piece;
        if !rest.is_empty() && std::mem::take(&mut self.after_cr) {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        // The event's only `data` line so far, when it lies whole in this piece.
        let mut here: Option<&[u8]> = None;
        while let Some((line, after)) = self.next_line(rest) {
            rest = after;
            if !self.line.is_empty() {
                self.end_held_line(line, &mut found)?;
                continue;
            }
            match read_line(line, &mut self.begun)? {
                Line::Blank => self.dispatch(here.take(), &mut found)?,
                Line::Data(data) if here.is_none() && self.data.is_empty() => here = Some(data),
                Line::Data(data) => self.keep(here.take(), data)?,
                Line::Comment => found(Event::Comment)?,
                Line::Other => {}
            }
        }
        if let Some(data) = here {
            self.keep(None, data)?;
        }
        self.line.extend_from_slice(rest);
        if self.line.len() > MAX_EVENT_BYTES { Err(SseError::TooLong.into()) } else { Ok(()) }
    }

    /// The next whole line of `rest` and what follows it.
    fn next_line<'a>(&mut self, rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (line, after) = rest.split_at_checked(memchr2(b'\r', b'\n', rest)?)?;
        match after {
            [b'\r'] => {
                self.after_cr = true;
                Some((line, &[]))
            }
            [b'\r', b'\n', after @ ..] | [_, after @ ..] => Some((line, after)),
            [] => None,
        }
    }

    /// The line that was held has ended with `tail`.
    fn end_held_line<E: From<SseError>>(
        &mut self,
        tail: &[u8],
        found: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut held = std::mem::take(&mut self.line);
        held.extend_from_slice(tail);
        match read_line(&held, &mut self.begun)? {
            Line::Data(data) => self.keep(None, data)?,
            Line::Comment => found(Event::Comment)?,
            // Blank only when a byte order mark stood alone, before any event.
            Line::Blank | Line::Other => {}
        }
        held.clear();
        self.line = held;
        Ok(())
    }

    /// Adds lines to the event's data.
    fn keep(&mut self, before: Option<&[u8]>, data: &[u8]) -> Result<(), SseError> {
        for line in before.into_iter().chain([data]) {
            self.data.extend_from_slice(line);
            self.data.push(b'\n');
        }
        // Less the last line's LF, which is no part of the data.
        if self.data.len() - 1 > MAX_EVENT_BYTES { Err(SseError::TooLong) } else { Ok(()) }
    }

    fn dispatch<E: From<SseError>>(
        &mut self,
        here: Option<&[u8]>,
        found: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(data) = here {
            return found(Event::Data(text(data)?));
        }
        if self.data.is_empty() {
            return Ok(());
        }
        let mut held = std::mem::take(&mut self.data);
        held.pop();
        found(Event::Data(text(&held)?))?;
        held.clear();
        self.data = held;
        Ok(())
    }
}

/// What a whole line means.
enum Line<'a> {
    Blank,
    Data(&'a [u8]),
    Comment,
    Other,
}

/// Reads a line; `begun` says whether it may no longer begin with a byte order mark.
fn read_line<'a>(line: &'a [u8], begun: &mut bool) -> Result<Line<'a>, SseError> {
    if line.len() > MAX_EVENT_BYTES {
        return Err(SseError::TooLong);
    }
    let marked = !std::mem::replace(begun, true);
    let line = match line {
        [0xEF, 0xBB, 0xBF, line @ ..] if marked => line,
        line => line,
    };
    Ok(match line {
        [] => Line::Blank,
        [b':', ..] => Line::Comment,
        [b'd', b'a', b't', b'a', value @ ..] => match value {
            [] => Line::Data(&[]),
            [b':', b' ', value @ ..] | [b':', value @ ..] => Line::Data(value),
            [_, ..] => Line::Other,
        },
        [_, ..] => Line::Other,
    })
}

fn text(data: &[u8]) -> Result<&str, SseError> {
    std::str::from_utf8(data).map_err(|_| SseError::NotUtf8)
}

#[cfg(test)]
mod tests;
