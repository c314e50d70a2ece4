import Reasoning

/// Who tells the truth: `Ada tells the truth. Ben says Ada lies. … Does Ben tell the truth?`
///
/// Solved from the first speaker to the last.
public struct WebOfLies: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        /// The first speaker's claim is about the speaker, each later one's about the one before.
        var speakers: [Speaker]
    }

    struct Speaker: Sendable, Equatable {
        var name: String
        /// What is said of the one before (of the first: what is so).
        var claimsTruth: Bool
    }

    public var name: String { "web_of_lies" }
    public var summary: String { "Find out who tells the truth and who lies." }

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let lengths = [3...4, 5...5, 6...7, 8...10]
        let names = generator.sample(generator.integer(in: lengths[level - 1]), of: Vocabulary.names)
        return Problem(speakers: names.map { Speaker(name: $0, claimsTruth: generator.chance(0.5)) })
    }

    public func question(for problem: Problem) -> String {
        var text = ""
        for (index, speaker) in problem.speakers.enumerated() {
            let claim = verb(speaker.claimsTruth)
            text += index == 0 ? speaker.name : "\(speaker.name) says \(problem.speakers[index - 1].name)"
            text += " \(claim). "
        }
        return text + "Does \(problem.speakers.last?.name ?? "") tell the truth?"
    }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        _ = scanner.accept("Question:")
        var speakers: [Speaker] = []
        while !scanner.accept("Does") {
            guard let name = scanner.word(), !speakers.contains(where: { $0.name == name }) else { return nil }
            if let last = speakers.last?.name, !scanner.accept("says \(last)") { return nil }
            guard let claim = scanner.accept(anyOf: [verb(true), verb(false)]), scanner.accept(".") else { return nil }
            speakers.append(Speaker(name: name, claimsTruth: claim == verb(true)))
        }
        guard let last = speakers.last?.name, scanner.accept("\(last) tell the truth?"), scanner.isAtEnd else {
            return nil
        }
        return Problem(speakers: speakers)
    }

    private func verb(_ isTrue: Bool) -> String { isTrue ? "tells the truth" : "lies" }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        let so = pad.phrase("so", [", so ", ". Hence ", ". Thus "])
        guard let first = problem.speakers.first else { return nil }
        pad.write(pad.phrase("opening", ["", "We know that ", "Given: "]))
        var isTrue = pad.decide(first.claimsTruth, or: [.mistake(.logical, !first.claimsTruth, isLastResort: true)]) {
            $0.write("\(first.name) \(verb($1))")
        }
        pad.write(".")
        for (before, speaker) in zip(problem.speakers, problem.speakers.dropFirst()) {
            pad.write(" \(speaker.name) says \(before.name) \(verb(speaker.claimsTruth))")
            let right = speaker.claimsTruth == isTrue
            pad.write(so)
            isTrue = pad.decide(right, or: [.mistake(.logical, !right)]) { $0.write("\(speaker.name) \(verb($1))") }
            pad.write(".")
        }
        return isTrue ? "Yes" : "No"
    }
}
