//! One forwarded stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use hyper_util::client::legacy::connect::{Connected, Connection};
use kube::api::Portforwarder;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::model::text;

pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// To the pod, with or without TLS.
pub(super) type Pipe = Box<dyn Io>;

impl Connection for Box<dyn Io> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// What the node said instead of forwarding.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Words(String);

/// A stream that knows what the node says about it, and ends the forward with itself.
pub(super) struct Forwarded {
    stream: DuplexStream,
    forwarder: Portforwarder,
    /// `None`: all was said.
    said: Option<BoxFuture<'static, Option<String>>>,
}

impl Forwarded {
    pub(super) fn new(mut forwarder: Portforwarder, port: u16) -> Option<Self> {
        let stream = forwarder.take_stream(port)?;
        let said = forwarder.take_error(port)?;
        Some(Self {
            stream,
            forwarder,
            said: Some(Box::pin(said)),
        })
    }

    fn words(&mut self, cx: &mut Context<'_>) -> Option<io::Error> {
        match self.said.as_mut()?.as_mut().poll(cx) {
            Poll::Pending => None,
            Poll::Ready(said) => {
                self.said = None;
                said.map(|words| io::Error::other(Words(text::clean(&words, 200))))
            }
        }
    }
}

/// The other side may be gone without a word: a polite close would wait for it forever.
impl Drop for Forwarded {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}

impl AsyncRead for Forwarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let nothing = match &read {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => buf.filled().len() == before,
            Poll::Ready(Err(_)) => false,
        };
        match nothing.then(|| self.words(cx)).flatten() {
            Some(error) => Poll::Ready(Err(error)),
            None => read,
        }
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
