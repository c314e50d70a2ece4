import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension WebRequest {
    /// The failure in our words. Texts of the libraries are not repeated: they may quote the request.
    func failure(from error: any Error, expired: Watchdog.Expiry?, limits: TimeLimits) -> any Error {
        if let expired { return timeout(expired, limits) }
        switch error {
        case let error as WebFailure: return error
        case let error as Upload.Unreadable:
            return failure(
                .connectionLost, "the file \(error.path) could not be sent: \(error.problem)",
                "run again when nothing changes it")
        case let error as HTTPClientError: return failure(from: error, limits)
        case is RequestNotSendable: return notSendable("a header that HTTP does not allow")
        case let error as NIOConnectionError:
            if error.connectionErrors.isEmpty { return unknownHost }
            if error.connectionErrors.contains(where: { ($0.error as? IOError)?.errnoCode == ECONNREFUSED }) {
                return refused
            }
            return failure(from: error.connectionErrors[0].error, expired: nil, limits: limits)
        case let error as IOError:
            if error.errnoCode == ECONNREFUSED { return refused }
            if error.errnoCode == ETIMEDOUT { return connectTimeout(limits) }
            return failure(
                .connectionLost, "the connection failed: \(String(cString: strerror(error.errnoCode)))",
                "check the network between here and \(address.authority)")
        case is SocketAddressError: return unknownHost
        case let error as ChannelError:
            if case .connectTimeout = error { return connectTimeout(limits) }
            return lost
        case is NIOSSLExtraError, is NIOSSLError, is BoringSSLError: return tls
        case let error as HTTPParserError where error == .invalidEOFState: return lost
        case is HTTPParserError, is NIOHTTPDecoderError:
            return failure(
                .malformedAnswer, "what answers there does not speak HTTP", "check host, port and scheme of the URL")
        default:
            // A sink's own error, or a cancellation.
            return error
        }
    }

    private func failure(from error: HTTPClientError, _ limits: TimeLimits) -> any Error {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout: return connectTimeout(limits)
        case .tlsHandshakeTimeout: return tls
        case .remoteConnectionClosed, .uncleanShutdown, .bodyLengthMismatch, .requestStreamCancelled: return lost
        case .readTimeout, .writeTimeout: return timeout(.idle, limits)
        case .deadlineExceeded: return timeout(.total, limits)
        case .cancelled: return CancellationError()
        default:
            return notSendable(error.shortDescription)
        }
    }

    private func notSendable(_ reason: String) -> WebFailure {
        failure(
            .malformedAnswer, "the request could not be made (\(reason))",
            "check the URL and the headers configured for it")
    }

    func timeout(_ expiry: Watchdog.Expiry, _ limits: TimeLimits) -> WebFailure {
        let remedy = "check the server and the network, or allow more time"
        switch expiry {
        case .connectOrSend:
            return failure(.idleTimeout, "nothing could be sent for \(text(limits.connect + limits.idle))", remedy)
        case .firstByte:
            return failure(
                .firstByteTimeout, "there was no answer within \(text(limits.connect + limits.firstByte))", remedy)
        case .idle: return failure(.idleTimeout, "the answer stopped for \(text(limits.idle))", remedy)
        case .total: return failure(.totalTimeout, "it took more than \(text(limits.total ?? .zero))", remedy)
        }
    }

    private func text(_ duration: Duration) -> String {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
    }

    private func connectTimeout(_ limits: TimeLimits) -> WebFailure {
        failure(
            .connectTimeout, "no connection to \(address.authority) within \(text(limits.connect))",
            "check the host and port, and whether a firewall lies between")
    }

    private var unknownHost: WebFailure {
        failure(.unknownHost, "the host \(address.host) is not known", "check the host name in the URL")
    }

    private var refused: WebFailure {
        failure(
            .refused, "nothing listens at \(address.authority)", "start the server, or check host and port in the URL")
    }

    var lost: WebFailure {
        failure(
            .connectionLost, "the connection ended before the answer was complete",
            "check the server's log and the network")
    }

    private var tls: WebFailure {
        failure(
            .tls, "no trusted TLS connection could be made",
            "check the server's certificate; for a private authority, configure its certificate")
    }
}
