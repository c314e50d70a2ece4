import CanonicalJSON
import StageGraph
import Testing

@testable import PipelineFile

@Suite struct MatrixTests {
    private let head = """
          questions: { uses: import, with: { path: q.jsonl } }
          cots: { uses: teacher-sampling, inputs: { questions: questions } }
          duals: { uses: dual-filtering, inputs: { correct: cots.correct, wrong: cots.wrong } }

        """

    private func names(_ stages: String, parameters: String = "") throws -> [String] {
        try parse(pipeline(head + stages, parameters: parameters)).pipeline.stages.dropFirst(3).map(\.name)
    }

    private func inputs(_ stages: String, of name: String) throws -> [String] {
        let node = try #require(try parse(pipeline(head + stages)).pipeline.stage(name))
        return node.inputs.map { "\($0.role) <- \($0.source)" }
    }

    @Test func aMatrixFansAStageOutInOrder() throws {
        let stages = """
              krsl:
                uses: training
                inputs: { pairs: duals }
                matrix: { beta: [0, 0.025], seed: ${seeds} }
                with: { beta: ${matrix.beta}, seed: ${matrix.seed}, label: "b${matrix.beta}" }
            """
        let file = try parse(pipeline(head + stages, parameters: "  seeds: [1, 2]"))
        let variants = file.pipeline.stages.dropFirst(3)
        #expect(
            variants.map(\.name) == [
                "krsl[beta=0,seed=1]", "krsl[beta=0,seed=2]", "krsl[beta=0.025,seed=1]", "krsl[beta=0.025,seed=2]",
            ])
        #expect(variants.map { $0.parameters.double("beta") } == [0, 0, 0.025, 0.025])
        #expect(variants.map { $0.parameters.integer("seed") } == [1, 2, 1, 2])
        #expect(variants.map { $0.parameters.string("label") } == ["b0", "b0", "b0.025", "b0.025"])
    }

    private let twoTrainings = """
          sft:
            uses: training
            inputs: { pairs: duals }
            matrix: { seed: [1, 2] }
            with: { seed: ${matrix.seed} }
          krsl:
            uses: training
            inputs: { pairs: duals, start: sft }
            matrix: { seed: [1, 2], beta: [0, 0.5] }
            with: { seed: ${matrix.seed}, beta: ${matrix.beta} }

        """

    @Test func variantsOfCommonAxesPairUp() throws {
        #expect(
            try inputs(twoTrainings, of: "krsl[seed=2,beta=0.5]") == [
                "pairs[0] <- duals.pairs", "start <- sft[seed=2].checkpoint",
            ])
    }

    @Test func aNamedPortTakesAllVariantsUnderTheirNames() throws {
        let report =
            twoTrainings + "  report: { uses: report, inputs: { base: sft, \"only\": \"krsl[seed=1,beta=0]\" } }"
        #expect(
            try inputs(report, of: "report") == [
                "base[seed=1] <- sft[seed=1].checkpoint", "base[seed=2] <- sft[seed=2].checkpoint",
                "only <- krsl[seed=1,beta=0].checkpoint",
            ])
        let paired = twoTrainings + "  report: { uses: report, matrix: { seed: [2] }, inputs: { k: krsl, s: sft } }"
        #expect(
            try inputs(paired, of: "report[seed=2]") == [
                "k[beta=0] <- krsl[seed=2,beta=0].checkpoint", "k[beta=0.5] <- krsl[seed=2,beta=0.5].checkpoint",
                "s <- sft[seed=2].checkpoint",
            ])
    }

    @Test func aListPortTakesAllVariantsInOrder() throws {
        let stages = """
              filtered:
                uses: dual-filtering
                inputs: { correct: cots.correct, wrong: cots.wrong }
                matrix: { mode: [strict, lenient] }
                with: { mode: ${matrix.mode} }
              train:
                uses: training
                inputs: { pairs: [duals, filtered.pairs] }
            """
        #expect(
            try inputs(stages, of: "train") == [
                "pairs[0] <- duals.pairs", "pairs[1] <- filtered[mode=strict].pairs",
                "pairs[2] <- filtered[mode=lenient].pairs",
            ])
    }

    @Test func bracketedReferencesAndFamiliesAreTargets() throws {
        let pipeline = try parse(pipeline(head + twoTrainings)).pipeline
        #expect(try pipeline.stageNames(matching: ["sft"]) == ["sft[seed=1]", "sft[seed=2]"])
        #expect(
            try pipeline.stageNames(matching: ["krsl[seed=1,beta=0]", "duals"]) == ["krsl[seed=1,beta=0]", "duals"])
        let error = #expect(throws: InvalidPipeline.self) { try pipeline.stageNames(matching: ["stf", "x"]) }
        #expect(
            error?.description == """
                error: the pipeline has no stage "stf"; did you mean "sft"? The stages are: questions, cots, duals, sft, krsl
                error: the pipeline has no stage "x"; the stages are: questions, cots, duals, sft, krsl
                """)
    }

    /// Its variants would be one stage under several names.
    @Test func anAxisThatChangesNothingIsAMistake() {
        let stages = """
              a: { uses: training, inputs: { pairs: duals }, matrix: { beta: [1, 2], seed: [1, 2] }, with: { seed: ${matrix.seed} } }
              b: { uses: training, inputs: { pairs: duals, start: a }, matrix: { seed: [1, 2], beta: [1, 2] } }
              c: { uses: training, inputs: { pairs: duals, start: "b[seed=1,beta=2]" }, matrix: { beta: [1, 2], label: [x] } }
              d: { uses: training, inputs: { pairs: duals }, matrix: { label: [x, y] } }
            """
        #expect(
            mistakes(pipeline(head + stages)) == """
                toy.yaml:7:60: error: the matrix axis "beta" changes nothing in stage "a": write ${matrix.beta} where its values belong
                toy.yaml:10:60: error: the matrix axis "label" changes nothing in stage "d": write ${matrix.label} where its values belong
                """)
    }

    @Test func mistakesOfAMatrixAreReportedOnce() {
        let stages = """
              a: { uses: training, inputs: { pairs: duels }, matrix: { beta: [1, 2] }, with: { bta: 1, seed: "${matrix.beta}" } }
              b: { uses: training, inputs: { pairs: duals }, matrix: { beta: [1, 1.0], "s d": [1], x: [], y: 3, z: [a b, [c]] } }
              c: { uses: training, inputs: { pairs: duals }, matrix: [beta] }
              d: { uses: training, inputs: { pairs: duals, start: b }, matrix: { beta: [1] }, with: { beta: ${matrix.bta} } }
              "e[beta=1]": { uses: training }
              f: { uses: training, inputs: { pairs: duals, start: g }, matrix: { beta: [3] } }
              g: { uses: training, inputs: { pairs: duals }, matrix: { beta: [1, 2] }, with: { beta: ${matrix.beta} } }
              h: { uses: training, inputs: { pairs: duals, start: g } }
              i: { uses: training, matrix: { a: ${many}, b: ${many}, c: ${many} } }
            """
        let many = "[" + (0..<30).map(String.init).joined(separator: ", ") + "]"
        #expect(
            mistakes(pipeline(head + stages, parameters: "  many: \(many)")) == """
                toy.yaml:9:41: error: unknown stage "duels"; did you mean "duals"?
                toy.yaml:9:84: error: unknown parameter "bta" of stage type training; did you mean "beta"? It takes: beta, seed, label
                toy.yaml:10:70: error: the matrix axis "beta" has the value 1 twice
                toy.yaml:10:76: error: the matrix axis "s d" has characters other than letters, digits, "-" and "_"
                toy.yaml:10:91: error: the matrix axis "x" takes a list of at least one value, found an empty one
                toy.yaml:10:98: error: the matrix axis "y" takes a list of at least one value, found "3"
                toy.yaml:10:105: error: a value of the matrix axis "z" becomes part of a stage's name: it takes letters, digits and - _ . + /, found "a b"
                toy.yaml:10:110: error: a value of the matrix axis "z" becomes part of a stage's name: it takes letters, digits and - _ . + /, found a list or a mapping
                toy.yaml:11:58: error: "matrix" takes a mapping from axes to lists of values, found a list
                toy.yaml:12:97: error: unknown matrix axis "bta" in ${matrix.bta}; did you mean "beta"? The matrix has: beta
                toy.yaml:13:3: error: the stage name "e[beta=1]" has characters other than letters, digits, "-" and "_"
                toy.yaml:14:55: error: no variant of "g" has the matrix values of this stage; there are g[beta=1], g[beta=2]
                toy.yaml:16:55: error: input "start" of stage type training takes one artifact, but this stands for 2 stages (g[beta=1], g[beta=2]): name one of them, or give this stage the same matrix
                toy.yaml:17:32: error: the matrix has more than 10000 variants
                """)
    }
}
