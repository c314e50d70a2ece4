import ArgumentParser
import ContentStore
import Glibc
import HTTPTransport
import PipelineFile
import StageGraph
import StoreTiers

/// Where a command shares results: the pipeline's tiers, then the user's, then those of the command line.
struct TierOptions: ParsableArguments {
    @Option(
        name: .customLong("tier"),
        help: ArgumentHelp(
            "Shares results by this tier: file:///folder, https://host/path or s3://bucket/prefix; may be given several times.",
            valueName: "url"))
    var urls: [String] = []

    @Option(
        name: .customLong("read-only-tier"),
        help: ArgumentHelp("The same for a tier that is not written to.", valueName: "url"))
    var readOnlyURLs: [String] = []

    @Flag(name: .customLong("no-tiers"), help: "Uses no tier, whatever the pipeline and the configuration say.")
    var usesNone = false

    /// Whether the command line names any.
    var namesTiers: Bool { !urls.isEmpty || !readOnlyURLs.isEmpty }

    /// Opens the local store with the tiers behind it.
    ///
    /// - Parameters:
    ///   - access: without tiers; a store with tiers is written to, for what is fetched.
    ///   - warn: is told what goes wrong with a tier.
    func open(
        _ store: StoreOptions, for file: PipelineFile?, access: LocalStore.Access = .readWrite,
        warn: @escaping @Sendable (String) -> Void = { StandardStream.error.line("warning: \($0)") }
    ) throws -> (store: LocalStore, tiers: TierSet?) {
        let configuration = usesNone ? UserConfiguration() : try ConfigurationFolder.process.configuration()
        let settings = try settings(for: file, configuration)
        guard !settings.isEmpty else { return (try store.open(access: access), nil) }
        let signer =
            settings.contains { $0.access == .readWrite }
            ? try ConfigurationFolder.process.signingKey(configuration) : nil
        let local = try store.open()
        let set = TierSet(
            try settings.map { try Tier.open($0, before: local, signer: signer) }, behind: local, warn: warn)
        local.attach(set)
        return (local, set)
    }

    /// Of several with one URL the last counts.
    private func settings(for file: PipelineFile?, _ configuration: UserConfiguration) throws -> [TierSettings] {
        guard !usesNone else { return [] }
        var diagnostics: [Diagnostic] = []
        var settings = ((file?.tiers ?? []) + configuration.tiers).compactMap { declaration in
            declaration.settings(&diagnostics)
        }
        guard diagnostics.isEmpty else { throw InvalidPipeline(diagnostics).reported() }
        for (texts, access) in [(urls, TierSettings.Access.readWrite), (readOnlyURLs, .readOnly)] {
            for text in texts {
                do {
                    settings.append(TierSettings(url: try TierURL(text), access: access))
                } catch let error as TierError {
                    StandardStream.error.line("error: \(error)")
                    throw ExitStatus.usage
                }
            }
        }
        return settings.enumerated().filter { index, tier in
            !settings[(index + 1)...].contains { $0.url == tier.url }
        }.map(\.element)
    }
}

extension TierDeclaration {
    fileprivate func settings(_ diagnostics: inout [Diagnostic]) -> TierSettings? {
        let keys = trusted.map { texts in
            texts.compactMap { text -> PublicSigningKey? in
                if let key = PublicSigningKey(text.value) { return key }
                diagnostics.append(
                    Diagnostic(
                        "\"\(text.value)\" is no public key; retort key show prints them as ed25519:…",
                        at: text.location))
                return nil
            }
        }
        do {
            return TierSettings(
                url: try TierURL(url.value), access: isReadOnly == true ? .readOnly : .readWrite, trustedSigners: keys,
                certificateAuthority: certificateAuthority, tokenVariable: tokenVariable, tokenFile: tokenFile)
        } catch {
            diagnostics.append(Diagnostic("\(error)", at: url.location))
            return nil
        }
    }
}

/// The user's folder for Retort: configuration and signing key.
struct ConfigurationFolder {
    let path: String
    /// The key file that the environment names.
    let keyOverride: String?

    static var process: ConfigurationFolder {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let base = variable("XDG_CONFIG_HOME") ?? "\(variable("HOME") ?? ".")/.config"
        return ConfigurationFolder(path: "\(base)/retort", keyOverride: variable("RETORT_SIGNING_KEY"))
    }

    var defaultKey: String { "\(path)/signing.key" }

    func configuration() throws -> UserConfiguration {
        let file = "\(path)/config.yaml"
        guard let bytes = try contents(of: file) else { return UserConfiguration() }
        do throws(InvalidPipeline) {
            return try UserConfiguration.parse(bytes, file: file)
        } catch {
            throw error.reported()
        }
    }

    private func contents(of file: String) throws -> [UInt8]? {
        do throws(ContentStoreError) {
            return try FileSystem.contents(of: file, limit: 1 << 20)
        } catch {
            guard error.errno == EACCES || error.errno == EPERM else { throw error }
            throw ContentStoreError(
                error.code, error.subject, error.problem,
                remedy:
                    "this is your configuration of Retort: let this user read it, remove it, or name another folder "
                    + "for configurations in XDG_CONFIG_HOME", errno: error.errno)
        }
    }

    /// The key that signs results; nil where there is none and none is configured.
    func signingKey(_ configuration: UserConfiguration) throws -> SigningKey? {
        if let file = keyOverride ?? configuration.signingKey {
            return try SigningKey(file: TierEnvironment.process.path(file))
        }
        return access(defaultKey, F_OK) == 0 ? try SigningKey(file: defaultKey) : nil
    }
}
