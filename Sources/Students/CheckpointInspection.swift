import CanonicalJSON
import Safetensors
import StudentJobs
import Tokenization

/// What there is to know about a checkpoint or adapter directory without computing with it.
enum CheckpointInspection {
    /// The description as an object, members in words of config.json where there are such.
    ///
    /// - Throws: ``StudentError`` or `SafetensorsError` for a directory that is neither, or is not sound.
    static func describe(_ directory: String) throws -> JSON {
        let isAdapter =
            FileSystem.isFile("\(directory)/adapter_config.json") && !FileSystem.isFile("\(directory)/config.json")
        return try isAdapter ? adapter(directory) : model(directory)
    }

    private static func model(_ directory: String) throws -> JSON {
        let checkpoint = try Checkpoint(directory: directory)
        let configuration = checkpoint.configuration
        let file = ConfigurationFile(path: "\(directory)/config.json", object: checkpoint.configurationJSON)
        let family = try file.read { try $0.string("model_type") }
        var object = JSONObject([
            ("kind", "checkpoint"), ("directory", .string(directory)), ("family", .string(family)),
            ("vocab_size", .integer(Int64(configuration.vocabSize))),
            ("hidden_size", .integer(Int64(configuration.hiddenSize))),
            ("intermediate_size", .integer(Int64(configuration.intermediateSize))),
            ("layers", .integer(Int64(configuration.layers))),
            ("attention_heads", .integer(Int64(configuration.heads))),
            ("key_value_heads", .integer(Int64(configuration.keyValueHeads))),
            ("head_size", .integer(Int64(configuration.headSize))),
            ("max_positions", .integer(Int64(configuration.maxPositions))),
            ("tied_embeddings", .bool(configuration.isTied)),
            ("rope_theta", .number(configuration.rotary.theta)),
            ("end_tokens", .array(configuration.endTokens.map { .integer(Int64($0)) })),
            (
                "parameters",
                .integer(Int64(configuration.parameterShapes.reduce(0) { $0 + $1.shape.reduce(1, *) }))
            ),
            ("files", files(checkpoint.archives)), ("types", types(checkpoint.archives)),
        ])
        object["sliding_window"] = configuration.window.map { .integer(Int64($0)) }
        object["tokenizer"] = try tokenizer(directory)
        return .object(object)
    }

    private static func adapter(_ directory: String) throws -> JSON {
        let path = "\(directory)/adapter_config.json"
        let configuration: JSON
        do { configuration = try JSON.parse(FileSystem.read(path)) } catch let error as JSONSyntaxError {
            throw StudentError("\(path):\(error.line):\(error.column)", error.message)
        }
        let archive = try SafetensorsArchive(mapping: "\(directory)/adapter_model.safetensors")
        var object = JSONObject([
            ("kind", "adapter"), ("directory", .string(directory)),
            ("parameters", .integer(Int64(archive.header.entries.reduce(0) { $0 + $1.elementCount }))),
            ("files", files([archive])), ("types", types([archive])),
        ])
        for (name, key) in [
            ("rank", "r"), ("alpha", "lora_alpha"), ("dropout", "lora_dropout"), ("targets", "target_modules"),
            ("base", "base_model_name_or_path"),
        ] {
            object[name] = configuration[key]
        }
        return .object(object)
    }

    private static func files(_ archives: [SafetensorsArchive]) -> JSON {
        .array(
            archives.map { archive in
                let name = archive.source.split(separator: "/").last.map(String.init) ?? archive.source
                return [
                    "name": .string(name), "tensors": .integer(Int64(archive.names.count)),
                    "bytes": .integer(Int64(archive.header.entries.reduce(0) { $0 + $1.range.count })),
                ]
            })
    }

    /// Elements by type: `{"BF16": 134515008}`.
    private static func types(_ archives: [SafetensorsArchive]) -> JSON {
        var counts: [String: Int] = [:]
        for entry in archives.flatMap(\.header.entries) {
            counts[entry.type.rawValue, default: 0] += entry.elementCount
        }
        return .object(JSONObject(counts.map { ($0.key, .integer(Int64($0.value))) }))
    }

    /// Nil without tokenizer.json.
    private static func tokenizer(_ directory: String) throws -> JSON? {
        guard FileSystem.isFile("\(directory)/tokenizer.json") else { return nil }
        let tokenizer = try CheckpointTokenizer(directory: directory).load()
        var object = JSONObject([("vocabulary", .integer(Int64(tokenizer.vocabularySize)))])
        let path = "\(directory)/tokenizer_config.json"
        guard FileSystem.isFile(path) else { return .object(object) }
        do {
            let configuration = try TokenizerConfiguration(JSON.parse(FileSystem.read(path)))
            object["end_token"] = configuration.endOfSequence.map { .string($0) }
            object["chat_template"] = .bool(
                configuration.chatTemplate != nil || FileSystem.isFile("\(directory)/chat_template.jinja"))
        } catch let error as JSONSyntaxError {
            throw StudentError("\(path):\(error.line):\(error.column)", error.message)
        } catch let error as TokenizerError {
            throw StudentError(path, error.path.isEmpty ? error.problem : "\(error.path) \(error.problem)")
        }
        return .object(object)
    }
}

extension JobRunner {
    func inspect(_ job: InspectionJob) throws {
        let description = try CheckpointInspection.describe(job.directory)
        try AtomicFile.replace(job.output, with: description.canonicalBytes + [UInt8(ascii: "\n")])
        try report(.done(WorkSummary(output: job.output, steps: 0, tokens: 0, seconds: 0)))
    }
}
