//! A load generator on keep-alive connections: as little of its own as can be.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

/// What is sent over and over.
#[derive(Debug, Clone)]
pub struct Shot {
    /// `127.0.0.1:PORT`.
    pub host: String,
    /// The path.
    pub path: String,
    /// Further header lines, each ended by CR LF.
    pub headers: String,
    /// The body.
    pub body: String,
    /// The statuses that may come back.
    pub expect: &'static [u16],
}

/// What a round measured.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Time to the first byte of the body, one a request.
    pub first_byte: Vec<Duration>,
    /// Bytes of all bodies.
    pub bytes: usize,
}

/// Sends `count` requests over each of `connections` connections.
///
/// # Errors
/// When a reply is not the expected one.
pub fn fire(shot: &Shot, connections: usize, count: usize) -> Result<Measured> {
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..connections).map(|_| scope.spawn(|| one_connection(shot, count))).collect();
        let mut all = Measured::default();
        for worker in workers {
            let part = worker.join().map_err(|_| anyhow::anyhow!("a connection panicked"))??;
            all.first_byte.extend(part.first_byte);
            all.bytes += part.bytes;
        }
        Ok(all)
    })
}

fn one_connection(shot: &Shot, count: usize) -> Result<Measured> {
    let stream = TcpStream::connect(&shot.host)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let message = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n{}content-length: {}\r\n\r\n{}",
        shot.path,
        shot.host,
        shot.headers,
        shot.body.len(),
        shot.body
    );
    let mut reader = BufReader::new(&stream);
    let mut measured = Measured::default();
    for _ in 0..count {
        let began = Instant::now();
        (&stream).write_all(message.as_bytes())?;
        let (status, length) = read_head(&mut reader)?;
        ensure!(shot.expect.contains(&status), "{} answered {status}", shot.path);
        reader.fill_buf()?;
        measured.first_byte.push(began.elapsed());
        measured.bytes += match length {
            Some(length) => skip(&mut reader, length)?,
            None => skip_chunks(&mut reader)?,
        };
    }
    Ok(measured)
}

fn read_head(reader: &mut impl BufRead) -> Result<(u16, Option<usize>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split_whitespace().nth(1).context("no status line")?.parse()?;
    let mut length = None;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse()?);
        }
    }
    Ok((status, length))
}

fn skip(reader: &mut impl Read, length: usize) -> Result<usize> {
    let copied = std::io::copy(&mut reader.take(length as u64), &mut std::io::sink())?;
    ensure!(copied == length as u64, "the body ended early");
    Ok(length)
}

fn skip_chunks(reader: &mut impl BufRead) -> Result<usize> {
    let mut total = 0;
    let mut line = String::new();
    loop {
        line.clear();
        ensure!(reader.read_line(&mut line)? > 0, "the stream was cut");
        let length = usize::from_str_radix(line.trim(), 16)?;
        skip(reader, length + 2)?;
        total += length;
        if length == 0 {
            return Ok(total);
        }
    }
}
