import HTTPTransport

/// What S3's error codes mean, and what to do about them.
enum S3Failure {
    static func noSuchBucket(_ bucket: String, tier: String) -> TierError {
        TierError(
            .missing, tier, "the bucket \(bucket) does not exist",
            remedy: "create it, or check its name, the endpoint and the region")
    }

    /// Nil where the failure is none of S3's own.
    static func explain(_ failure: WebFailure, bucket: String, region: String, tier: String) -> TierError? {
        var code = S3Answer.text("Code", in: failure.body)
        // Some servers say by the message alone why access is denied.
        if code == "AccessDenied",
            S3Answer.text("Message", in: failure.body)?.contains("difference between the request time") == true
        {
            code = "RequestTimeTooSkewed"
        }
        func error(_ code: TierError.Code, _ problem: String, _ remedy: String) -> TierError {
            TierError(code, tier, problem, remedy: remedy)
        }
        switch code {
        case "NoSuchBucket": return noSuchBucket(bucket, tier: tier)
        case "InvalidAccessKeyId":
            return error(.refused, "the server does not know the access key", "check AWS_ACCESS_KEY_ID or the profile")
        case "SignatureDoesNotMatch":
            return error(
                .refused, "the secret key does not fit the access key",
                "check AWS_SECRET_ACCESS_KEY or the profile, and the region (\(region))")
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
            return error(.refused, "the session token has expired or is invalid", "get a new AWS_SESSION_TOKEN")
        case "RequestTimeTooSkewed", "RequestExpired":
            return error(
                .refused, "the server refuses the request because this machine's clock differs from its own",
                "set the clock, for instance with NTP")
        case "AccessDenied":
            return error(
                .refused, "access is denied", "check what the credentials may do in the bucket \(bucket)")
        case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
            let right = S3Answer.text("Region", in: failure.body)
            return error(
                .refused, "the bucket lies in another region than \(region)",
                right.map { "set AWS_REGION=\($0)" } ?? "set AWS_REGION to the bucket's region")
        default: return nil
        }
    }
}
