import CanonicalJSON
import Reasoning
import SyntheticTasks

/// An embedded teacher that solves the synthetic task families from the text of the prompt, and errs on purpose.
///
/// It obeys the three prompts of EDIT: asked for a chain of thought (CEP) it is wrong at a given rate; shown the answer
/// (AHP) it writes the right chain of thought in the wording of its wrong one; shown a right response and asked for a
/// wrong one (CCP) it makes one likely mistake in the given response. It knows where its mistakes are. Every answer is a
/// function of its parameters, the question, the kind of prompt and the sample index. A question of no family that it
/// knows gets an answer without a conclusion.
public struct SyntheticTeacher: Teacher {
    /// Raised whenever any answer may change.
    public static let version = 1

    public let parameters: SyntheticTeacherParameters

    public init(_ parameters: SyntheticTeacherParameters = SyntheticTeacherParameters()) {
        self.parameters = parameters
    }

    public var name: String { "synthetic" }

    public var identity: JSON {
        var object = parameters.jsonObject
        object["kind"] = "synthetic"
        object["version"] = .integer(Int64(Self.version))
        return .object(object)
    }

    /// Enough to share the cost of making answers durable; the answers themselves take no waiting.
    public var concurrency: Int { 256 }

    public func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        answer(request)
    }

    /// The answer, without waiting. About 0.1 ms.
    public func answer(_ request: TeacherRequest) -> TeacherResponse {
        let prompt = PromptReading(request.messages)
        var response = TeacherResponse(text: "I do not know how to work this out.", mistakes: [])
        if let reading = TaskCatalog.read(prompt.question) {
            let attempt = Attempt(
                parameters: parameters, question: prompt.question, reading: reading, sample: request.sampleIndex)
            switch prompt.request {
            case .answer: response = attempt.sampled()
            case .answerWithHint(let answer): response = attempt.rectified(to: answer)
            case .wrongResponse(let right): response = attempt.corrupted(from: right)
            }
        }
        return response.limited(by: request.sampling, prompt: request.messages)
    }
}

/// One answer of the synthetic teacher in the making.
private struct Attempt {
    let parameters: SyntheticTeacherParameters
    let question: String
    let reading: any QuestionReading
    let sample: Int

    /// Sample 0 has the first wording, sample 1 the second and so on, for every kind of prompt: so right and wrong
    /// answers to one question differ only where the reasoning does.
    private var wording: Wording { Wording(question: question, variant: sample) }

    /// A stream of random numbers for one decision.
    private func generator(_ purpose: String) -> SeededGenerator {
        SeededGenerator(seed: parameters.seed, "synthetic teacher", purpose, question, String(sample))
    }

    private func happens(_ purpose: String, at rate: Double) -> Bool {
        var generator = generator(purpose)
        return generator.chance(rate)
    }

    private func right(_ wording: Wording) -> Derivation? { reading.answer(wording: wording) }

    private func mistaken(
        _ purpose: String, _ wording: Wording, target: ((String) -> Bool)? = nil
    ) -> Derivation? {
        var generator = generator(purpose)
        return reading.mistakenAnswer(wording: wording, seed: generator.next(), target: target)
    }

    /// CEP.
    func sampled() -> TeacherResponse {
        let errs = happens("error", at: parameters.errorRate)
        guard let derivation = errs ? mistaken("mistake", wording) ?? right(wording) : right(wording) else {
            return TeacherResponse(text: "None of the possible answers fits this question.", mistakes: [])
        }
        let response = TeacherResponse(derivation)
        return happens("breaking off", at: parameters.unansweredRate) ? response.withoutConclusion() : response
    }

    /// AHP. A hint that no single mistake leads to is ignored.
    func rectified(to hint: String) -> TeacherResponse {
        if happens("failed rectification", at: parameters.failedRectificationRate),
            let wrong = mistaken("mistake", wording)
        {
            return TeacherResponse(wrong)
        }
        let rephrased = happens("rephrasing", at: parameters.rephrasingRate)
        let wording = rephrased ? Wording(question: question, variant: sample + 1_000_000) : wording
        func isHinted(_ answer: String) -> Bool { AnswerVerifier.verify(answer: answer, gold: hint).correct }
        let direct = right(wording)
        let followed = direct.map { isHinted($0.answer) } ?? false
        guard let derivation = followed ? direct : mistaken("hint", wording, target: isHinted) ?? direct else {
            return TeacherResponse(text: "None of the possible answers fits this question.", mistakes: [])
        }
        let leaks = happens("hint leak", at: parameters.hintLeakRate)
        return TeacherResponse(derivation, prefix: leaks ? "As the hint says, the correct answer is \(hint). " : "")
    }

    /// CCP.
    func corrupted(from given: String) -> TeacherResponse {
        if happens("refusal", at: parameters.refusalRate) {
            return TeacherResponse(text: "I would rather not give a wrong answer to this question.", mistakes: [])
        }
        if happens("identical", at: parameters.identicalRate) { return TeacherResponse(text: given, mistakes: []) }
        let wordings = [wording] + (0..<8).map { Wording(question: question, variant: $0) }
        let recognised = wordings.first { right($0)?.text.utf8.elementsEqual(given.utf8) ?? false }
        guard let wrong = mistaken("contrast", recognised ?? wording) else {
            return TeacherResponse(text: "I cannot think of a likely mistake here.", mistakes: [])
        }
        return TeacherResponse(wrong)
    }
}

extension TeacherResponse {
    fileprivate init(_ derivation: Derivation, prefix: String = "") {
        let shift = prefix.utf8.count
        self.init(
            text: prefix + derivation.text,
            mistakes: derivation.mistakes.map {
                Mistake(kind: $0.kind, span: $0.span.lowerBound + shift..<$0.span.upperBound + shift)
            })
    }

    /// Broken off before the concluding sentence, as by the limit on tokens.
    fileprivate func withoutConclusion() -> TeacherResponse {
        guard let conclusion = text.ranges(of: " Therefore, the answer is").last else { return self }
        return cut(to: text[..<conclusion.lowerBound].utf8.count, reason: .length)
    }

    private func cut(to bytes: Int, reason: FinishReason) -> TeacherResponse {
        var result = self
        result.text = String(decoding: text.utf8.prefix(bytes), as: UTF8.self)
        result.finishReason = reason
        result.mistakes = mistakes?.compactMap { mistake in
            let span = mistake.span.clamped(to: 0..<bytes)
            return span.isEmpty ? nil : Mistake(kind: mistake.kind, span: span)
        }
        return result
    }

    /// Ended by the first stop sequence and the greatest number of tokens, with its usage. A token is a word here.
    fileprivate func limited(by sampling: SamplingParameters, prompt: [ChatMessage]) -> TeacherResponse {
        var result = self
        if let stop = sampling.stop.compactMap({ result.text.firstRange(of: $0)?.lowerBound }).min() {
            result = result.cut(to: result.text[..<stop].utf8.count, reason: .stop)
        }
        var words = wordEnds(result.text)
        if let limit = sampling.maxTokens, words.count > limit {
            result = result.cut(to: limit > 0 ? words[limit - 1] : 0, reason: .length)
            words.removeSubrange(limit...)
        }
        let promptWords = prompt.reduce(0) { $0 + wordEnds($1.content).count }
        result.usage = Usage(promptTokens: promptWords, completionTokens: words.count)
        return result
    }
}

/// The byte offsets behind each word that white space separates.
private func wordEnds(_ text: String) -> [Int] {
    var ends: [Int] = []
    var inWord = false
    var offset = 0
    for byte in text.utf8 {
        let isBlank = byte == 0x20 || (0x09...0x0D).contains(byte)
        if isBlank, inWord { ends.append(offset) }
        inWord = !isBlank
        offset += 1
    }
    if inWord { ends.append(offset) }
    return ends
}
